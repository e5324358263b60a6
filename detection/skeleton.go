package detection

import (
	"fmt"
	"strings"
)

// Skeleton returns a detection file to begin with. It is valid as it is.
func Skeleton(id string) ([]byte, error) {
	if !validID().MatchString(id) {
		return nil, fmt.Errorf("id %q: want lower-case letters, digits and single dashes", id)
	}
	return []byte(strings.NewReplacer("ID", id, "NAME", strings.ReplaceAll("rule_"+id, "-", "_")).Replace(skeleton)), nil
}

const skeleton = `apiVersion: besra/v1
id: ID
version: 0.1.0
status: draft
title: what it finds, in one line
hypothesis:
  statement: what an adversary does, and what of it stays in bytes
  state: unknown
rule:
  inline: |
    rule NAME {
      strings:
        $a = "text that only it has" fullword
      condition:
        $a
    }
  name: NAME
  patterns: 1
severity: medium
samples:
  positive:
    - {name: as it is found, text: 'x text that only it has x'}
  negative:
    - {name: a part of it, text: 'text that only'}
provenance:
  author: ""
  license: ""
`
