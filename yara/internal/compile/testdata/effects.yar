import "console"
// Rules with effects run on every target, and nothing of them is left out.
rule logs { strings: $a = "abcdef" condition: $a and console.log("x") and filesize < 10 }
rule logs_before_false { condition: console.log("x") and false }
rule never_logs { condition: false and console.log("x") }
