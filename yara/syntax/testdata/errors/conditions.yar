rule r { condition: }
rule r { condition: 1 + 2 == }
rule r { condition: 1 ++ 2 }
rule r { condition: 1 + == 3 }
rule r { condition: true == true }
rule r { condition: (true) == 1 }
rule r { condition: 1 + (a == b) }
rule r { condition: 1 == not 1 }
rule r { condition: - not 1 }
rule r { condition: 1 == $a }
rule r { condition: $a == 1 }
rule r { condition: a and }
rule r { condition: and a }
rule r { condition: a b }
rule r { condition: (a }
rule r { condition: a) }
rule r { condition: ((a) }
rule r { condition: foo. }
rule r { condition: foo.1 }
rule r { condition: foo.all }
rule r { condition: foo[] }
rule r { condition: foo[true] }
rule r { condition: foo(1,) }
rule r { condition: foo(1 }
rule r { condition: "abc".len() }
rule r { condition: filesize.x }
rule r { condition: $a at }
rule r { condition: $a at true }
rule r { condition: $a at 0 in (0..10) }
rule r { condition: $a in 0..10 }
rule r { condition: $a in (0.10) }
rule r { condition: $a in (0..) }
rule r { condition: @a[ }
rule r { condition: #a[1] }
rule r { condition: !=1 }
rule r { condition: a = b }
rule r { condition: a && b }
rule r { condition: a || b }
rule r { condition: a / b }
rule r { condition: a ; }
rule r { condition: not }
rule r { condition: defined }
rule ok_1 { condition: true }
