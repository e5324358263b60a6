import "pe"
import "math"

global rule small { condition: filesize < 1MB }

rule everything : tag_one tag_two
{
    meta:
        author = "someone"
        score = -3
        strict = true
        weight = 1.5
    strings:
        $mz = { 4D 5A }
        $text = "hello" nocase wide ascii fullword
        $xor = "foobar" xor(1-3)
        $b64 = "secret" base64 base64wide("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        $x1 = "abcdefgh"
        $x2 = "ijklmnop" private
        $_spare = "not used"
    condition:
        $mz at 0 and uint16(0) == 0x5A4D and ($text or #xor > 2 + 3) and any of ($x*) and not $b64
        and for any i in (1..#text) : (@text[i] < 100 and !text[i] == 5)
}

private rule shares_patterns
{
    strings:
        $other_name = "abcdefgh"
        $mz = "MZ"
    condition:
        $other_name and $mz
}

rule modules
{
    condition:
        pe.machine == pe.MACHINE_I386 and pe.sections[0].name == ".text" and
        pe.version_info["CompanyName"] contains "corp" and pe.version_info["X"] icontains "Y" and
        math.entropy(0, filesize) >= 7 and pe.is_signed and
        for any s in pe.sections : (s.size > 10 and s.has("x")) and
        for all k, v in pe.version_info : (k != v) and
        pe.imports("kernel32.dll", "LoadLibraryA") and shares_patterns and ext_text matches /^a/
}
