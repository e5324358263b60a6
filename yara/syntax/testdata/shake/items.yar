
import "pe"
import "vendor\\module"
include "other.yar"

rule plain { condition: true }
global rule a_global { condition: true }
private rule a_private { condition: true }
global private rule both : tag_one tag2 _tag3 { condition: true }
private  global rule both_again:tag{condition:true}

rule with : include with { meta: with = 1 include = 2 condition: with or include }
rule include { condition: with.include(with) }
