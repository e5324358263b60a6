rule crlf
{
	meta:
		a = 1 // one


		b = """x
y"""
		/* two
		   lines */
	condition:
		true // t
}
