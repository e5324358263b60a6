package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/besra-hunt/besra"
)

// TestLive hunts on the loopback interface while real peers talk: what they
// carry must be found, under its name.
func TestLive(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped([]byte(marker)))
	}))
	defer web.Close()
	mail := listenSMTP(t)
	for _, tt := range []struct {
		name string
		talk func() error
		want string
	}{
		{"HTTP", func() error { return get(web.URL + "/kit/tool.py") }, "!" + web.URL + "/kit/tool.py"},
		{"SMTP", func() error {
			return smtp.SendMail(mail, nil, "a@b.example", []string{"c@d.example"}, []byte(strings.ReplaceAll(attached("base64"), "\n", "\r\n")))
		}, ".eml!tool.py"},
	} {
		t.Run(tt.name, func(t *testing.T) { live(t, tt.talk, wanted{target: tt.want}) })
	}
}

// wanted is what a record must tell before a hunt is interrupted.
type wanted struct {
	target string // how the name of a target ends in which something is found
	gap    string // the reason of a gap, if one has to be told by then
}

// live talks until the hunt on the interface has told of what is wanted, and
// then interrupts it. It returns the finding.
func live(t *testing.T, talk func() error, want wanted, args ...string) *besra.Finding {
	cmd := exec.Command(os.Args[0])
	cmd.Args = append([]string{"besra", "hunt", "-f", "ndjson", "--no-progress"}, append(args, "live:lo")...) // see testscript.Main
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = bound(0)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, ended := make(chan *besra.Finding, 1), make(chan struct{})
	gaps := map[string]bool{}
	go func() {
		defer close(ended)
		watchRecord(out, want, found, gaps)
	}()
	var f *besra.Finding
	for began := time.Now(); f == nil; {
		if time.Since(began) > 30*time.Second {
			t.Errorf("nothing of %v in all that time", want)
			break
		}
		if err := talk(); err != nil {
			t.Error(err)
			break
		}
		select {
		case f = <-found:
		case <-ended:
			cmd.Wait()
			if strings.Contains(stderr.String(), "not permitted") {
				t.Skip(stderr.String())
			}
			t.Fatalf("it ended without %v: %s", want, stderr.String())
		default:
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	<-ended
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), " targets, ") {
		t.Errorf("exit %d, %s: want %d and the closing line", code, stderr.String(), exitInterrupted)
	}
	if want.gap != "" && !gaps[want.gap] {
		t.Errorf("gaps are %v, want %q", gaps, want.gap)
	}
	return f
}

// watchRecord reads a record to its end, and tells of the second finding of what
// is wanted: what was talked of between the two was listened to.
func watchRecord(r io.Reader, want wanted, found chan<- *besra.Finding, gaps map[string]bool) {
	seen := 0
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var rec besra.Record
		if json.Unmarshal(line, &rec) != nil {
			continue
		}
		if rec.Gap != nil {
			gaps[rec.Gap.Reason] = true
		}
		if rec.Finding != nil && strings.HasSuffix(string(rec.Finding.Target.Name), want.target) {
			if seen++; seen == 2 {
				found <- rec.Finding
			}
		}
	}
}

func get(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	return err
}

// listenSMTP is a server that takes every message.
func listenSMTP(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go takeMail(c)
		}
	}()
	return l.Addr().String()
}

func takeMail(c net.Conn) {
	defer c.Close()
	tp := textproto.NewConn(c)
	fmt.Fprint(c, "220 mx\r\n")
	for {
		line, err := tp.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			if _, err := tp.ReadDotBytes(); err != nil {
				return
			}
			fmt.Fprint(c, "250 taken\r\n")
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 mx\r\n")
		}
	}
}
