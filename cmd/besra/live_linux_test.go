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
	"strings"
	"syscall"
	"testing"

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
		t.Run(tt.name, func(t *testing.T) { live(t, tt.talk, tt.want) })
	}
}

// live talks until the hunt on the interface has told of what is wanted, and
// then interrupts it.
func live(t *testing.T, talk func() error, want string) {
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"besra", "hunt", "-f", "ndjson", "--no-progress", "live:lo"} // see testscript.Main
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		watchRecord(out, want, found)
	}()
	for told := false; !told; {
		if err := talk(); err != nil {
			t.Error(err)
			break
		}
		select {
		case <-found:
			told = true
		case <-ended:
			cmd.Wait()
			if strings.Contains(stderr.String(), "not permitted") {
				t.Skip(stderr.String())
			}
			t.Fatalf("it ended without %s: %s", want, stderr.String())
		default:
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	<-ended
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), " targets, ") {
		t.Errorf("exit %d, %s: want %d and the closing line", code, stderr.String(), exitInterrupted)
	}
}

// watchRecord reads a record to its end, and closes found at a finding in a
// target whose name ends so.
func watchRecord(r io.Reader, want string, found chan<- struct{}) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var rec besra.Record
		if json.Unmarshal(line, &rec) == nil && rec.Finding != nil && found != nil && strings.HasSuffix(string(rec.Finding.Target.Name), want) {
			close(found)
			found = nil
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
