// Package junit writes JUnit XML, the form in which build servers take test
// results: suites of cases, each of which passed or failed. Nobody owns that
// form; ours is what Jenkins' schema allows, the strictest of those in use.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/besra-hunt/besra"
)

// Suite is one group of cases.
type Suite struct {
	Name  string
	Host  string    // empty where it does not matter
	File  string    // what the cases are written in
	Time  time.Time // when it began; the zero time is left out
	Cases []Case
}

// Case is one test.
type Case struct {
	// Class groups cases within a suite, as "detection.exclusion".
	Class, Name string
	Duration    time.Duration
	// Failure is empty where the case passed; Detail says more of it.
	Failure, Kind, Detail string
	// Error is set instead where the case could not be run.
	Error string
	// Skipped says why the case was not run.
	Skipped string
}

type xmlSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Suites   []xmlSuite `xml:"testsuite"`
}

type xmlSuite struct {
	Name      string    `xml:"name,attr"`
	Tests     int       `xml:"tests,attr"`
	Failures  int       `xml:"failures,attr"`
	Errors    int       `xml:"errors,attr"`
	Skipped   int       `xml:"skipped,attr"`
	Time      seconds   `xml:"time,attr"`
	Timestamp string    `xml:"timestamp,attr,omitempty"`
	Host      string    `xml:"hostname,attr,omitempty"`
	File      string    `xml:"file,attr,omitempty"`
	Cases     []xmlCase `xml:"testcase"`
}

type xmlCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Time    seconds  `xml:"time,attr"`
	Failure *xmlFail `xml:"failure,omitempty"`
	Error   *xmlFail `xml:"error,omitempty"`
	Skipped *xmlFail `xml:"skipped,omitempty"`
}

// seconds is a span in the form that the schema wants, to the millisecond.
type seconds time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *seconds) UnmarshalText(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	*s = seconds(f * float64(time.Second))
	return err
}

type xmlFail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Write writes suites as one document. Text that XML has no word for is shown
// as [besra.Text.Printable] does.
func Write(w io.Writer, name string, suites []Suite) error {
	doc := xmlSuites{Name: clean(name)}
	for _, s := range suites {
		x := s.xml()
		doc.Tests += x.Tests
		doc.Failures += x.Failures
		doc.Errors += x.Errors
		doc.Suites = append(doc.Suites, x)
	}
	body, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append([]byte(xml.Header), append(body, '\n')...))
	return err
}

func clean(s string) string { return besra.Text(s).Printable() }

func (s Suite) xml() xmlSuite {
	x := xmlSuite{Name: clean(s.Name), Tests: len(s.Cases), Host: clean(s.Host), File: clean(s.File)}
	if !s.Time.IsZero() {
		x.Timestamp = s.Time.UTC().Format("2006-01-02T15:04:05")
	}
	for _, c := range s.Cases {
		one := xmlCase{Class: clean(c.Class), Name: clean(c.Name), Time: seconds(c.Duration)}
		switch {
		case c.Error != "":
			x.Errors++
			one.Error = &xmlFail{Message: clean(c.Error), Type: clean(c.Kind), Text: clean(c.Detail)}
		case c.Failure != "":
			x.Failures++
			one.Failure = &xmlFail{Message: clean(c.Failure), Type: clean(c.Kind), Text: clean(c.Detail)}
		case c.Skipped != "":
			x.Skipped++
			one.Skipped = &xmlFail{Message: clean(c.Skipped)}
		}
		x.Time += one.Time
		x.Cases = append(x.Cases, one)
	}
	return x
}
