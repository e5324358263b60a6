// How patterns are lowered.
rule hex {
  strings:
    $plain = { 4D 5A 90 00 03 }
    $masked = { 48 8B ?? 1? ?5 E8 ?? ?? ?? ?? 85 C0 }
    $negated = { 48 ~8B ~?5 E8 11 22 33 44 }
    $jump = { 01 02 03 04 [2-10] 0A 0B 0C 0D 0E [4] 11 }
    $unbounded = { 01 02 [-] 0A 0B 0C 0D 0E 0F }
    $joined = { 11 12 13 14 [1-2] [3-] 15 16 } // suppress: consecutive_jumps
    $alternatives = { 01 02 ( 03 04 | 05 06 07 | ?? ) 0A 0B 0C 0D }
    $nested = { AA BB CC ( 01 ( 02 | 03 [1-2] 04 ) | 05 ) DD EE FF }
    $wildcards_only = { ?? ?? }
  condition: all of them
}
rule regexps {
  strings:
    $literal = /plain literal/
    $literal_nocase = /Plain Literal/i
    $literal_wide = /wide literal/ wide ascii fullword
    $greedy = /https?:\/\/[a-z0-9.]{4,30}\/gate\.php/
    $lazy = /begin.{0,100}?end of it/
    $fold = /user-agent: [a-z]+/i
    $wide = /pass(word|phrase)=/ wide
    $full = /[a-z]{4}-key/ fullword
    $classes = /\d\d:\d\d/
    $dotall = /one.two/s
    $no_atoms = /[a-z]+[0-9]/
    $alternatives = /evil\.exe|worse\.dll/
  condition: all of them
}
rule texts {
  strings:
    $escapes = "a\tb\x00\"c\\"
    $wide = "wide" wide
    $both = "both" wide ascii
    $nocase_digits = "1234" nocase
    $xor_all = "xor text" xor
    $xor_wide = "xor text" xor(0x10-0x20) wide ascii fullword
    $b64 = "base64 text" base64
    $b64_wide_plain = "text" wide base64
    $b64wide = "text" base64wide
  condition: all of them
}
