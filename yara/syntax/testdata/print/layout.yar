// The licence of the file
// goes on.

import "pe" import "math"

import    "hash"   // behind an import
include "other.yar"
// of the rule
rule one:tag_a   tag_b{meta:author="x" a=1 longest_key=true


description = "y"
d = - 3 strings:$a="x" wide   ascii $long_name={0a1B??[4-6]( 0a|0B )~?c}  private $r=/re/i   nocase
condition:$a and($long_name or $r)}
private rule two{condition:all of them}global private rule three { condition: any of ($a,$b*) at 0 } // behind three
/* before four */ rule four

{
  // first in four
  condition:
    true // behind true

}



rule five { meta: text = """one
   two
	three""" next = "n" strings: $x = "x" xor( 0x01 - 0xff ) base64( "abc" ) condition: for any i in ( 1 .. #x ) : ( @x [ i ]+1==uint8( 0 ,1) ) and with a=1,b=2:(a==b) }
