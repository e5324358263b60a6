package detection

import (
	"fmt"
	"testing"

	"github.com/besra-hunt/besra/exclusion"
)

func TestSetParameters(t *testing.T) {
	packs := func() []*Pack {
		params := func() exclusion.Parameters {
			return exclusion.Parameters{"dirs": {Type: "strings"}, "limit": {Default: 5}, "on": {Type: "bool"}, "name": {Default: "x"}}
		}
		return []*Pack{{Detections: []*Detection{{ID: "a", Parameters: params()}, {ID: "b", Parameters: params()}}}}
	}
	tests := []struct {
		settings []string
		want     string // of a, then of b
		err      string
	}{
		{[]string{"dirs=/x", "dirs=/y=z"}, "[/x /y=z] <nil> <nil> <nil>, [/x /y=z] <nil> <nil> <nil>", ""},
		{[]string{"limit=0x10", "on=true", "b/name="}, "<nil> 16 true <nil>, <nil> 16 true ", ""},
		{[]string{"a/dirs=/x"}, "[/x] <nil> <nil> <nil>, <nil> <nil> <nil> <nil>", ""},
		{[]string{"limit=many"}, "", `the parameter limit: detection a: "many" is not of type int`},
		{[]string{"limit=1", "limit=2"}, "", `the parameter limit: detection a: it is of type int and takes one value, not 2`},
		{[]string{"c/limit=1"}, "", `the parameter c/limit: no detection has it; there is dirs, limit, name, on`},
		{[]string{"=1"}, "", `the parameter "=1": want NAME=VALUE or DETECTION/NAME=VALUE`},
	}
	for _, tt := range tests {
		ps := packs()
		err := SetParameters(ps, tt.settings)
		if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
			t.Errorf("%v: got error %v, want %q", tt.settings, err, tt.err)
		}
		got := ""
		for i, d := range ps[0].Detections {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(d.Parameters["dirs"].Value, " ", d.Parameters["limit"].Value, " ", d.Parameters["on"].Value, " ", d.Parameters["name"].Value)
		}
		if tt.err == "" && got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.settings, got, tt.want)
		}
	}
}
