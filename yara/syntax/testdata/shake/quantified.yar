rule of_them { condition: all of them and any of them and none of them and 1 of them and 0 of them and -1 of them and #a of them and 1 + 1 of them and (1) of them and x.y[1] of them }
rule of_percent { condition: 50% of them and 5 % of them and (2 * 3)% of them and 2 * 3 % of them and 7 % 2 of them and x% of ($a) }
rule of_patterns { condition: any of ($a) and all of ($a, $b*, $*) and 1 of ($a *, $) }
rule of_anchored { condition: any of them at 0 and all of ($a*) at 1 + 2 and any of them in (0..10) and 2 of ($a, $b) in (0..filesize) }
rule of_rules { condition: any of (rule_a) and 2 of (rule_a, rule_b*, rule_c *) and all of (prefix*) }
rule of_booleans { condition: any of (true, 1 == 2, $a and $b, a * b) and all of ($a at 0, $b, $c) and none of ($a, x, all of them, (true)) and any of ((a), (b or c)) }
rule for_of { condition: for all of them : ($ at 0) and for any of ($a, $b*) : ( # > 0 and @ > ! ) and for 2 of ($*) : ( for 1 of them : ( $ ) ) and for 10% of them : ( $ ) and for x % 2 of them : ( true ) }
rule for_in { condition: for all i in (1..#a) : (@a[i] < 10) and for any i in (1, 2 + 3, 4) : (i) and for any i in (1) : (i) and for any s in ("a","b") : (s == "a") and for none x in pe.sections : (x.name == ".text") and for 2 k,v in a.b("c") : (k == v) and for 50% i in (1 . . 2) : (i) and for 7 % 2 i in (1..2) : (i) }
rule with_variables { condition: with a = 1 : (a == 1) and with a = pe.sections[0], b = a.size + 1 : ( a.name == "x" and with c = b : ( c ) ) }
rule with_names { condition: with and with == 1 and with.x and with[1] == 2 and with(3) and for any with in (1..2) : (with > 0) }
