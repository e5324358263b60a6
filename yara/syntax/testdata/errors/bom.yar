rule ok_0 { condition: true }
rule ok_1 { condition: true }
