// What a rule needs to match.
rule cheaper_child { strings: $a = "ab" $b = "a rare long literal" condition: $a and $b }
rule union { strings: $a = "first literal" $b = "second literal" condition: $a or $b }
rule union_broken { strings: $a = "first literal" condition: $a or filesize == 1 }
rule k_of_n { strings: $a = "aa" $b = "bbbbbbbbb1" $c = "cccccccccc2" $d = "dddddddd3" condition: 2 of them }
rule all_of { strings: $a = "ab" $b = "bbbbbbbbb1" condition: all of them }
rule none_of { strings: $a = "abcd" condition: none of them }
rule not_found { strings: $a = "abcd" condition: not $a }
rule count_zero { strings: $a = "abcd" condition: #a == 0 or #a < 3 }
rule count_some { strings: $a = "abcd" condition: #a > 2 and 0 != #a }
rule offset { strings: $a = "abcd" condition: @a[1] > 100 }
rule offset_negated { strings: $a = "abcd" condition: not @a[1] > 100 }
rule defined_offset { strings: $a = "abcd" condition: defined @a }
rule not_defined { strings: $a = "abcd" condition: not defined @a }
rule for_of { strings: $a = "abcd" $b = "efgh" condition: for any of them : ( $ at 3 and # > 2 ) }
rule for_all_of { strings: $a = "abcd" $b = "efgh1234567" condition: for all of them : ( $ ) }
rule for_of_other { strings: $a = "abcd" $b = "efgh" condition: for any of ($a) : ( $b and # > 2 or # == 0 and $b ) }
rule for_none_of { strings: $a = "abcd" condition: for none of them : ( $ ) }
rule for_range { strings: $a = "abcd" condition: for any i in (1..#a) : ( @a[i] == 3 ) }
rule for_all_range { strings: $a = "abcd" condition: for all i in (1..#a) : ( @a[i] == 3 ) }
rule for_all_constant { strings: $a = "abcd" condition: for all i in (1..3) : ( @a[i] == 3 ) }
rule refers { strings: $b = "ef" condition: cheaper_child and $b }
rule refers_any { condition: any of (cheaper_child, union) }
rule quantifier_unknown { strings: $a = "abcd" condition: filesize of them }
rule percent { strings: $a = "aa" $b = "bbbbbbbbb1" $c = "cccccccccc2" condition: 60% of them }
rule counted_as_bool { strings: $a = "abcd" condition: #a and not false }
