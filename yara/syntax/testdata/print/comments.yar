/* block at the top */ /* and another */
import /* inside import */ "pe" /* behind import */

// before private
private /* modifiers */ global // to the end
rule /* name */ commented /* colon */ : /* tags */ a /* between */ b // after tags
/* before brace */ { // after brace
	// before meta
	meta /* before colon */ : // after colon
		// before the entry
		a /* key */ = /* value */ "x" // behind the entry
		                              // below, in the same column
		b = "longer value" // behind b

		// in meta, behind everything
	// before strings, in its column
	strings:
		$a = "x" /* pattern */ wide /* modifier */ ascii // behind
		$b = "y" xor /* keys */ ( /* lo */ 1 /* hyphen */ - /* hi */ 2 /* end */ ) base64 ( /* alphabet */ "z" /* end */ )
		/* two
		   lines */
		$c = /re/i /* flags */ nocase /* behind, in
		                                 two lines */
		/*
		$commented = "out"
			$and_more = { 00 }
		*/
		$d = { // behind the brace
			00 01 // behind bytes
			( 02 // in an alternative
			| /* before */ 03 /* after */ | 04 )
			// alone
			[ 4 - 5 ] 06 /* inline */ 07
			/* last */
		} /* behind hex */ private
		$e = { /* one line */ 00 /* of */ 01 /* bytes */ }
	condition: // behind condition
		// before the condition
		$a /* left */ and /* right */ $b // behind an operand
		// between
		or /* call */ pe . /* field */ foo ( /* first */ 1 /* comma */ , // argument
			2 /* last */ ) [ /* index */ 3 /* end */ ]
		and ( // behind a bracket
			// alone in brackets
			$c
			// last in brackets
		) // behind brackets
		and all /* of */ of /* set */ ( /* one */ $a /* two */ , $b /* three */ * /* four */ ) /* at */ at /* offset */ 0
		and for /* q */ any /* v */ i /* in */ in /* r */ ( /* lo */ 1 /* dots */ .. /* hi */ 2 /* end */ ) /* colon */ : /* body */ ( /* x */ i /* y */ )
		and - /* sign */ 1 == a /* eq */ /* two */ // three
		and not /* n */ $a
		// in the condition, behind everything
	// closing
} // behind the rule
// at the end
/* of the file */
rule header
// a comment


{ condition: true }
