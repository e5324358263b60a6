// options: includes
import "nothing"
include "lib.yar"
include "self.yar"
include "bad.yar"
include "gone.yar"

rule good { condition: from_lib }
rule bad_twice { strings: $a = "abc" $a = "def" condition: $b or unknown or #c > 1 }
rule refers_to_bad { condition: bad_twice and bad }
rule suppressed { condition: true } // suppress: invariant_expr
// suppress: invariant_expr
rule suppressed_whole {
  condition:
    true
}
rule suppressed_pattern {
  strings:
    // suppress: text_as_hex
    $a = { 61 62 63 }
    $b = { 61 62 64 }
  condition:
    // suppress: invariant_expr, ambiguous_expr
    0 of them or any of them
}
rule still_good { condition: good and filesize > 1 }
