// options: yara
rule duplicates { strings: $a = "abcd" $b = "efgh" condition: 3 of ($a, $b, $a) }
rule short_base64 { strings: $a = "ab" base64 condition: $a }
rule entry { condition: entrypoint == 0 }
rule floats { condition: 2.62 - 3 == -0.38 }
