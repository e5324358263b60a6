rule empty {}
rule ok_1 { condition: true }
rule doubled {{ condition: true }
rule no_entries { meta: strings: condition: }
rule wrong_order { strings: $a = "x" meta: a = 1 condition: true }
rule ok_2 { condition: true }
rule no_colon { meta a = 1 condition true }
rule ok_3 { condition: true }
rule three_errors {
  meta:
    a =
  strings:
    $a = foo
  condition:
    1 +
}
rule ok_4 { condition: true }
rule keyword_keys { meta: condition = 1 condition: true }
rule values { meta: a = -"x" condition: true }
rule values { meta: a = b condition: true }
rule values { meta: a = /re/ condition: true }
rule two_conditions { condition: true condition: false }
rule ok_5 { condition: true }
