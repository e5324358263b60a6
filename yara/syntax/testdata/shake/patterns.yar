rule text_patterns {
  strings:
    $a = "plain"
    $b = "all" nocase wide ascii fullword private
    $c = "xor" xor
    $d = "xor" xor(0x20)
    $e = "xor" xor( 1 - 0xFF ) wide
    $f = "b64" base64 base64wide
    $g = "b64" base64("!@#$%^&*(){}[].,|ABCDEFGHIJ\x09LMNOPQRSTUVWXYZabcdefghijklmnopqrstu") base64wide("x")
    $ = "anonymous"
    $_under_score9 = "\x90\x90"
    $ = """several
lines"""
  condition:
    any of them
}

rule regexp_patterns {
  strings:
    $a = /plain/
    $b = /flags/i
    $c = /flags/s
    $d = /flags/is
    $e = /flags/si wide
    $f = /no blank/ wide
    $g = /no blank/i wide ascii
    $h = /slash \/ and class [\/"{}] \\/ nocase
    $i = / \* star/
    $j = /ünïcödé/
  condition:
    any of them
}

rule hex_patterns {
  strings:
    $a = { 01 }
    $b = {0123abCDef}
    $c = { A? ?B ?? ~AB ~A? ~?B }
    $d = { 01 [4] 02 [4-6] 03 [4-] 04 [-] 05 [-6] 06 [ 0x10 - 0o20 ] 07 [1][2] 08 [0-0] 09 }
    $e = { 01 ( 02 | 03 04 | ( 05 | 06 [1-2] 07 ) 08 ) 09 }
    $f = {
           01  02  03
         } private
    $g = { ( 01 ) }
    $h = { DE ADBE EF }
  condition:
    all of them
}
