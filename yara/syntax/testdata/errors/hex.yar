rule jumps { strings: $a = { 11 [1-x] 22 } condition: all of them }
rule bytes { strings: $a = { 000 } $b = { 1 2 } $c = { 0? ? } $d = {} $e = { 4x } condition: all of them }
rule ok_1 { condition: true }
rule bytes { strings: $a = { 11 ~?? 22 } $b = { 11 ~ 22 } condition: all of them }
rule bytes { strings: $a = { GG } condition: all of them }
rule jumps { strings: $a = { 11 [0] 22 } $b = { 11 [3-2] 22 } $c = { [1] 22 } $d = { 11 [1] } $e = { 11 [4294967296] 22 } $f = { 11 [99999999999999999999-] 22 } condition: all of them }
rule jumps { strings: $a = { 11 [] 22 } condition: all of them }
rule jumps { strings: $a = { 11 [1_0] 22 } condition: all of them }
rule jumps { strings: $a = { 11 [1 /* no comments here */ - 2] 22 } condition: all of them }
rule jumps { strings: $a = { 11 [1-2-3] 22 } condition: all of them }
rule alternatives { strings: $a = { 11 ([1] 22 | 33 [1]) 22 } condition: all of them }
rule alternatives { strings: $a = { 11 () 22 } condition: all of them }
rule alternatives { strings: $a = { 11 (22 | ) 22 } condition: all of them }
rule alternatives { strings: $a = { 11 (22 33 } condition: all of them }
rule alternatives { strings: $a = { 11 | 22 } condition: all of them }
rule alternatives { strings: $a = { 11 22 ) } condition: all of them }
rule ok_2 { condition: true }
rule open_pattern {
  strings:
    $a = { ab cd
    $b = "x"
  condition:
    $a
}
rule ok_3 { condition: true }
rule open_pattern {
  strings:
    $a = { ab cd
  condition:
    $a
}
rule ok_4 { condition: true }
rule open_pattern {
  strings:
    $a = { ab // cd }
    $b = { ab /* cd }
