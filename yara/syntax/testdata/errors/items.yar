foo
rule ok_1 { condition: true }
import pe
rule ok_2 { condition: true }
include
rule ok_3 { condition: true }
rule { condition: true }
rule ok_4 { condition: true }
rule all { condition: true }
rule 1st { condition: true }
global x { condition: true }
rule ok_5 { condition: true } }
rule ok_6 { condition: true };
rule test : { condition: true }
rule test = { condition: true }
rule test : a, b { condition: true }
rule ok_7 { condition: true }
rule brace_missing condition: true }
rule ok_8 { condition: true }
private private rule ok_9 { condition: true }
rule no_end { condition: true
