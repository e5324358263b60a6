rule ok_1 { condition: true }
/* a comment * without an end
rule lost { condition: true }
