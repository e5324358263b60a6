rule unterminated { strings: $a = "foo
  condition: $a }
rule ok_1 { condition: true }
rule unterminated { strings: $a = /foo
  condition: $a }
rule escapes { strings: $a = "a\qb" $b = "\x4" $c = "\xZZ\'" $d = "\ż" condition: all of them }
rule escape_at_the_end { strings: $a = "foo\
  condition: $a }
rule ok_2 { condition: true }
rule numbers { condition: 9223372036854775808 == 0xFFFFFFFFFFFFFFFF or -9223372036854775808 == 8796093022208MB }
rule numbers { meta: a = 99999999999999999999 condition: 1KBx == 2 }
rule floats { condition: 1. == .5 }
rule floats { condition: 1.0e5 > 1 }
rule quotes { meta: a = """a "quote" inside""" condition: true }
rule ok_3 { condition: true }
rule flags { strings: $a = /foo/m $b = /foo/ig nocase $c = /foo/1 condition: all of them }
rule flags { condition: a matches /x/x }
rule empty { strings: $a = // condition: $a }
  condition: $a }
rule ok_4 { condition: true }
rule multi { meta: a = """never
closed
