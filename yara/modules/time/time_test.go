package time_test

import (
	"testing"
	stdtime "time"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/time"
	"github.com/besra-hunt/besra/yara/yaratest"
)

func TestNow(t *testing.T) {
	in := &module.Input{Time: stdtime.Unix(1700000000, 999)}
	if got := yaratest.Show(yaratest.Call(t, time.Module(), in, "now")); got != "1700000000" {
		t.Errorf("now: got %s, want 1700000000", got)
	}
}
