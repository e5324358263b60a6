rule modifiers { strings: $a = "a" foo condition: true }
rule modifiers { strings: $a = "a" wide ascii wide wide condition: $a }
rule modifiers { strings: $a = "a" base64() condition: true }
rule modifiers { strings: $a = "a" base64(x) condition: true }
rule modifiers { strings: $a = "a" xor(1-) condition: true }
rule modifiers { strings: $a = "a" xor(-1) condition: true }
rule modifiers { strings: $a = "a" xor(99999999999999999999) condition: $a }
rule modifiers { strings: $a = "a" wide() condition: true }
rule ok_1 { condition: true }
rule names { strings: a = "a" condition: true }
rule names { strings: $a "a" condition: true }
rule names { strings: $a = condition: true }
rule names { strings: #a = "x" condition: true }
rule several {
  strings:
    $a = "bad \q escape"
    $b = { 0 }
    $c = "dup" wide wide
  condition:
    true
}
rule ok_2 { condition: true }
