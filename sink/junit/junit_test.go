package junit

import (
	"encoding/xml"
	"errors"
	"flag"
	"testing"

	"github.com/besra-hunt/besra/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Contract{New: New, Check: check(sinktest.LoadShape(t)), Whole: true})
}

func TestGolden(t *testing.T) { sinktest.Golden(t, New, "rich.xml", *update) }

// check holds the document to testdata/shape.txt, and its totals to its cases.
func check(shape sinktest.Shape) func([]byte) (int, error) {
	return func(out []byte) (int, error) {
		if err := shape.CheckXML(out); err != nil {
			return 0, err
		}
		return totals(out)
	}
}

// totals reads the suites and adds up what their totals say.
func totals(out []byte) (findings int, err error) {
	var doc struct {
		XMLName xml.Name `xml:"testsuites"`
		Tests   int      `xml:"tests,attr"`
		Suites  []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Class   string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out, &doc); err != nil {
		return 0, err
	}
	total := 0
	for _, s := range doc.Suites {
		f, e, k := 0, 0, 0
		for _, c := range s.Cases {
			switch {
			case c.Failure != nil:
				f++
			case c.Error != nil:
				e++
			case c.Skipped != nil:
				k++
			}
		}
		if f != s.Failures || e != s.Errors || k != s.Skipped || len(s.Cases) != s.Tests {
			return 0, errors.New("the totals of a suite do not fit its cases")
		}
		findings += f + k
		total += s.Tests
	}
	if total != doc.Tests {
		return 0, errors.New("the totals do not fit the suites")
	}
	return findings, nil
}
