rule r { condition: any }
rule r { condition: any of }
rule r { condition: any of $a }
rule r { condition: any of t }
rule r { condition: any of () }
rule r { condition: any of ($a,) }
rule r { condition: any of ($a $b) }
rule r { condition: any of ($a*, true) }
rule r { condition: any of (true, $a*) }
rule r { condition: any of (1*) }
rule r { condition: any of (a.b*) }
rule r { condition: any of (true) at 0 }
rule r { condition: any of (a, b) in (0..10) }
rule r { condition: any of them at 0 in (0..1) }
rule r { condition: (1 == 1) of them }
rule r { condition: 1 == 2 of them }
rule r { condition: 10 + 40% of them }
rule r { condition: any% of them }
rule r { condition: true of them }
rule r { condition: for }
rule r { condition: for any }
rule r { condition: for any of them }
rule r { condition: for any of them : }
rule r { condition: for any of them : true }
rule r { condition: for any of them : () }
rule r { condition: for any of ($a at 0) : ($) }
rule r { condition: for any of (true) : ($) }
rule r { condition: for any i of them : ($) }
rule r { condition: for any in (1..2) : (true) }
rule r { condition: for any i (1..2) : (true) }
rule r { condition: for any i, in (1..2) : (true) }
rule r { condition: for any i in : (true) }
rule r { condition: for any i in () : (true) }
rule r { condition: for any i in (1,) : (true) }
rule r { condition: for any i in (true) : (true) }
rule r { condition: for any i in (1==1, 2) : (true) }
rule r { condition: for any i in (1,2)+1 : (true) }
rule r { condition: for all i in (1+1)..2 : (true) }
rule r { condition: for true i in (1..2) : (true) }
rule r { condition: for any% i in (1..2) : (true) }
rule r { condition: with : (true) }
rule r { condition: with a : (true) }
rule r { condition: with a = : (true) }
rule r { condition: with a = true : (true) }
rule r { condition: with a = (1==1) : (true) }
rule r { condition: with a = 1 (true) }
rule r { condition: with a = 1, : (true) }
rule ok_1 { condition: with }
rule ok_2 { condition: true }
rule r { condition: any of (a*, true) }
rule r { condition: any of ($a, b, c*) }
rule ok_3 { condition: any of (a, b*) }
