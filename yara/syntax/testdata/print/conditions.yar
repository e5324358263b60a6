rule breaks {
	condition:
		uint16(0) == 0x5A4D and filesize < 1MB
		and
		(
			$a or   $b or
				$c
			or (
			$d and $e )

			or all of ($f*,
			$g*) or for any of them : (
				$ at 0
			)
		) and not ( pe.is_dll() and
			pe.imports("a.dll",
				"b") ) and 2 of (
			$h,
			$i
		)
		and any of (true,
			false
		) and
		for all s in ("a",
			"b"): (
			s == "x") and
		with v = 1,
			w = 2: (
			v ==
			w
		)
}

rule operators {
	condition:
		-(1+2)*-3\4%5 == ~ 6 | 7^8&9 << 10>>11 and - - 1 < 2 and ~-1>=3 and not   not a and defined  b.c [ 1 ] . d ( e ) . f
		and 50 % of them and 5 % 2 of them and (1)of them and $a   in ( 0 .. filesize-1 ) and #a in(1..2)==3 and for 10 % of($*):(#>1) and x matches /y/is
}
