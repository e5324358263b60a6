rule once { strings: $b = "abcd" $a = "efgh" condition: 2 of ($a, $b, $a) and any of ($*) and all of them }
rule same_bytes { strings: $t = "abcd" $h = { 61 62 63 64 } $r = /abcd/ condition: all of them } // suppress: text_as_hex
rule at_one_offset { strings: $a = "abcd" condition: $a at 0 and $a at 0 }
rule at_two_offsets { strings: $a = "abcd" condition: $a at 0 or $a at 1 }
rule at_and_anywhere { strings: $a = "abcd" condition: $a at 0 or $a and filesize == 1 }
rule within { strings: $a = "ijkl" condition: $a in (0..100) }
rule only_found { strings: $a = "mnop" condition: $a }
rule counted { strings: $a = "mnop" condition: #a > 1 }
