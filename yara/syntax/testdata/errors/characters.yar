rule ok_1 { condition: true } // latin-1 in a comment: éè is no harm
rule bytes { strings: $a = "café ï¿½" $b = /ÿ/ condition: all of them }
rule bytes { condition: ÿ }
rule ok_2 { condition:Â true }
rule stray { condition: â€œtrueâ€ }
rule stray { condition: true  }
rule ok_3 { condition: true }
