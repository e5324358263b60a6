rule literals { condition: 1 == 0x1 and 1.5 != 1KB and "a\x00" contains "\"" and "x" matches /a\/b/is and not false and true }
rule precedence { condition: 1 + 2 * 3 - 4 \ 5 % 6 == 7 | 8 ^ 9 & 10 << 11 >> 12 and 1 < 2 == 3 >= 4 or 5 != 6 and 7 <= 8 or 9 > 10 }
rule associativity { condition: 1 - 2 - 3 == 4 \ 5 \ 6 and 1 << 2 << 3 == 0 and 1 == 2 == 3 or 1 or 2 and 3 and 4 or 5 }
rule unary { condition: not not true and not 1 == 2 and defined 1 + 2 and not defined $a and -1 == --2 and ~-3 == -~4 and 1--1 == 1 - -1 and not -5 }
rule parentheses { condition: ((1 + 2) * 3 == (4)) and (($a)) and not (true or (false)) }
rule text_operators { condition: a contains b and a icontains b and a startswith b and a istartswith b and a endswith b and a iendswith b and a iequals b and a matches /b/ }
rule regexp_then_keyword { condition: a matches /b/ and a matches /c/i or true }
rule names { condition: a and a.b and a.b.c["d"] and a.b["x"].c[1](2, "three", true or false, $a)(4).e and f() and f(g(h)).len() and a [ 1 ] . b == uint16be ( 0x3c ) }
rule patterns_of_rule { condition: $a and $a at 0 + 1 and $a in (1..filesize) and #a == 1 and #a in (0 .. 10) > 2 and @a < 3 and @a[1] < @b[i + 1] and !a > 4 and !a[#a] > 5 and $ and # > 0 and @[1] > !  [2] }
rule ranges { condition: $a in (1..2) and $b in (1.5 . . 2.5) and $c in (a.b..c.d) and $d in (filesize-10..filesize) and $e in ((1)..(2)) and $f in (#a..@b[1]) }
rule keywords { condition: filesize > 1MB and entrypoint == filesize-1 and 5of them }
