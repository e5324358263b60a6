package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/besra-hunt/besra"
)

// exchange is a transfer between programs of the distribution, and what a hunt
// that listens must find of it.
type exchange struct {
	name  string
	serve func(t *testing.T, dir string) // starts what is talked to
	talk  string                         // a line for the shell, in the folder
	want  string                         // how the target's name ends
	facts string                         // an exclusion that holds of it
	gap   string                         // the reason of a gap that is told, too
}

// TestPeers hunts on an interface of a network of its own, where nothing else is
// and every port is free, while programs of the distribution talk over it.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	const web = `net.src.port == 80 && net.host == '127.0.0.1' && net.url == 'http://127.0.0.1/`
	const up = `net.dst.port == 80 && net.src.ip == '127.0.0.1' && net.url == 'http://127.0.0.1/in`
	const file, into = `net.proto == 'tcp' && net.dst.ip == '127.0.0.1' && net.src.port > 0`, `&& net.dst.port > 0`
	mail := fmt.Sprintf(`file.sha256 == '%x' && mail.from_domain == 'sender.example'`, sha256.Sum256([]byte(marker)))
	const zip, boxed, mailbox = "!tool.zip!a.txt", `archive.kind == 'zip' && mail.from_domain == 'sender.example' && mail.subject == 'samples'`, `python3 "$PEERS"/mailbox.py `
	const socket = `/usr/bin/python3 "$PEERS"/web_socket.py `
	const sent = `archive.kind == 'zip' && mail.envelope_from == 'a@sender.example' && 'all@d.example' in mail.envelope_to && mail.helo == 'client.example' && mail.client_ip == '127.0.0.1'`
	for _, x := range []exchange{
		{"nginx", nginx, `curl -sS -o got http://127.0.0.1/tool.py`, "!http://127.0.0.1/tool.py", web + `tool.py'`, ""},
		{"nginx, gzip in chunks", nginx, `curl -sS --compressed -o got http://127.0.0.1/tool.txt`, "!http://127.0.0.1/tool.txt", web + `tool.txt'`, ""},
		{"nginx, the second of a connection", nginx, `curl -sS -o a http://127.0.0.1/other -o b http://127.0.0.1/tool.py`, "!http://127.0.0.1/tool.py", web + `tool.py'`, ""},
		{"nginx, a name and a port", nginx, `curl -sS --connect-to c2.example:8080:127.0.0.1:80 -o a http://c2.example:8080/tool.py`, "!http://c2.example:8080/tool.py",
			`net.src.port == 80 && net.host == 'c2.example' && net.user_agent.startsWith('curl/')`, ""},
		{"curl sends a form", nginx, `curl -sS -o got -F name=x -F file=@tool.py http://127.0.0.1/in`, "POST http://127.0.0.1/in!tool.py", up + `'`, ""},
		{"curl sends a file", nginx, `curl -sS -o got -T tool.py http://127.0.0.1/in/`, "PUT http://127.0.0.1/in/tool.py", up + `/tool.py'`, ""},
		{"curl waits to go on", nginx, `curl -sS -o got -H 'Expect: 100-continue' -T tool.py http://127.0.0.1/in/`, "PUT http://127.0.0.1/in/tool.py", up + `/tool.py'`, ""},
		{"curl sends chunks", nginx, `curl -sS -o got -T - http://127.0.0.1/in/x <tool.py`, "PUT http://127.0.0.1/in/x", up + `/x'`, ""},
		{"nginx, br", nginx, `curl -sS --compressed -o got http://127.0.0.1/tool.br`, "!http://127.0.0.1/tool.br", web + `tool.br'`, ""},
		{"nginx, zstd", nginx, `curl -sS --compressed -o got http://127.0.0.1/tool.zstd`, "!http://127.0.0.1/tool.zstd", web + `tool.zstd'`, ""},
		{"nginx, several ranges", nginx, `curl -sS -r 0-3,10-99 -o got http://127.0.0.1/later`, "!http://127.0.0.1/later!part-2", web + `later'`, ""},
		{"nginx, a file in two ranges", nginx, `curl -sS -r 0-9 -o a http://127.0.0.1/tool.py --next -sS -r 10- -o b http://127.0.0.1/tool.py`, "!http://127.0.0.1/tool.py", web + `tool.py'`, ""},
		{"python, WebSocket", webSocket, socket + `recv`, "!http://127.0.0.1/socket!message-1", web + `socket'`, ""},
		{"python sends over WebSocket", webSocket, socket + `send`, "!GET http://127.0.0.1/socket!message-1", `net.dst.port == 80 && net.url == 'http://127.0.0.1/socket'`, ""},
		{"python, without a length", web10, `curl -sS -o got http://127.0.0.1/tool.py`, "!http://127.0.0.1/tool.py", web + `tool.py'`, ""},
		{"python", python, `curl -sS -o got http://127.0.0.1/tool.py`, "!http://127.0.0.1/tool.py", web + `tool.py'`, ""},
		{"swaks", smtpSink, `swaks --silent 2 --server 127.0.0.1 -f a@sender.example -t c@d.example --attach-name tool.py --attach @tool.py`, "!tool.py", mail, ""},
		{"swaks, pipelined", smtpSink, `swaks --silent 2 --pipeline --server 127.0.0.1 -f a@sender.example -t c@d.example --attach-name tool.py --attach @tool.py`, "!tool.py", mail, ""},
		{"curl sends a mail", smtpSink, `curl -sS --url smtp://127.0.0.1 --mail-from a@sender.example --mail-rcpt c@d.example -T mail.eml`, "!tool.py", mail, ""},
		{"vsftpd, EPSV", vsftpd, `curl -sS -o got ftp://127.0.0.1/tool.py`, "!ftp/tool.py", file, ""},
		{"vsftpd, PASV", vsftpd, `curl -sS -o got --disable-epsv ftp://127.0.0.1/tool.py`, "!ftp/tool.py", file, ""},
		{"vsftpd, EPRT", vsftpd, `curl -sS -o got -P - ftp://127.0.0.1/tool.py`, "!ftp/tool.py", file + ` && net.src.port == 20`, ""},
		{"vsftpd, PORT", vsftpd, `curl -sS -o got -P - --disable-eprt ftp://127.0.0.1/tool.py`, "!ftp/tool.py", file + ` && net.src.port == 20`, ""},
		{"vsftpd, IPv6", vsftpd, `curl -sS -g -o got 'ftp://[::1]/tool.py'`, "!ftp/tool.py", `net.src.ip == '::1'`, ""},
		{"vsftpd, IPv6 and EPRT", vsftpd, `curl -sS -g -o got -P - 'ftp://[::1]/tool.py'`, "!ftp/tool.py", `net.src.ip == '::1'`, ""},
		{"vsftpd, a folder and a second file", vsftpd, `curl -sS -o a ftp://127.0.0.1/other -o b ftp://127.0.0.1/sub/tool.py`, "!ftp/sub/tool.py", file, ""},
		{"vsftpd, upload, EPSV", vsftpd, `curl -sS -T tool.py ftp://127.0.0.1/in/`, "!ftp/in/tool.py", file + into, ""},
		{"vsftpd, upload, PORT", vsftpd, `curl -sS -P - --disable-eprt -T tool.py ftp://127.0.0.1/in/`, "!ftp/in/tool.py", file + into, ""},
		{"vsftpd, from an offset", vsftpd, `curl -sS -C 10 -o got ftp://127.0.0.1/later`, "!ftp/later@10", file, ""},
		{"vsftpd, upload to the end of a file", vsftpd, `curl -sS -a -T tool.py ftp://127.0.0.1/in/log`, "!ftp/in/log", file + into, ""},
		{"vsftpd, TLS", vsftpd, `curl -sS -k --ssl-reqd -o got ftp://127.0.0.1/tool.py && curl -sS -o got ftp://127.0.0.1/sub/tool.py`, "!ftp/sub/tool.py", file, "encrypted"},
		{"pure-ftpd, EPSV", pureFTPd, `curl -sS -o got ftp://127.0.0.1/sub/tool.py`, "!ftp/sub/tool.py", file, ""},
		{"pure-ftpd, PORT", pureFTPd, `curl -sS -o got -P - --disable-eprt ftp://127.0.0.1/tool.py`, "!ftp/tool.py", file, ""},
		{"pure-ftpd, a whole path, from an offset", pureFTPd, `curl -sS --ftp-method nocwd -C 10 -o got ftp://127.0.0.1/sub/later`, "!ftp/sub/later@10", file, ""},
		{"pure-ftpd, upload", pureFTPd, `curl -sS -T tool.py ftp://127.0.0.1/in/$(date +%N).py`, ".py", file + into + ` && net.dst.port != 21`, ""},
		{"smbclient reads", smbd, `smbclient -N //127.0.0.1/share -c 'get tool.py got' 2>&1 || exit 1`, `\tool.py`, `net.src.port == 445`, ""},
		{"smbclient writes", smbd, `smbclient -N //127.0.0.1/share -c 'cd in; put tool.py in.py' 2>&1 || exit 1`, `\in.py`, `net.dst.port == 445`, ""},
		{"postfix, in chunks", postfix(""), `python3 "$PEERS"/deliver.py`, "!message-6.eml" + zip, sent, ""},
		{"postfix, in one piece with its envelope", postfix(""), `python3 "$PEERS"/deliver.py`, "!message-8.eml" + zip, sent, ""},
		{"dovecot, IMAP", dovecot, `curl -sS -u u:p -o got 'imap://127.0.0.1/INBOX;MAILINDEX=1'`, zip, boxed, ""},
		{"dovecot, IMAP, the attachment alone", dovecot, `curl -sS -u u:p -o got 'imap://127.0.0.1/INBOX;MAILINDEX=1;SECTION=2'`, "!message-1-2!a.txt", `archive.kind == 'zip' && net.src.port == 143`, ""},
		{"dovecot, IMAP, header and text", dovecot, mailbox + `header_and_text`, zip, boxed, ""},
		{"dovecot, IMAP, in parts", dovecot, mailbox + `parts`, zip, boxed, ""},
		{"dovecot, IMAP, in parts of two mailboxes", dovecot, mailbox + `parts_of_two`, "!message-2.eml" + zip, boxed, ""},
		{"dovecot, IMAP, the attachment in parts", dovecot, mailbox + `attachment`, zip, boxed, ""},
		{"dovecot, IMAP, compressed", dovecot, mailbox + `compressed`, zip, boxed, ""},
		{"dovecot, IMAP, APPEND", dovecot, mailbox + `append`, zip, boxed, ""},
		{"dovecot, IMAP, APPEND at once", dovecot, mailbox + `append_at_once`, zip, boxed, ""},
		{"dovecot, IMAP, IDLE", dovecot, mailbox + `idle`, zip, boxed, ""},
		{"dovecot, IMAP, STARTTLS", dovecot, mailbox + `starttls`, zip, boxed, "encrypted"},
		{"dovecot, POP3", dovecot, `curl -sS -u u:p -o got pop3://127.0.0.1/1`, zip, boxed, ""},
		{"dovecot, POP3, TOP and RETR", dovecot, mailbox + `retrieve`, "!message-1.eml" + zip, boxed, "beginning"},
		{"dovecot, POP3, STLS", dovecot, mailbox + `stls`, zip, boxed, "encrypted"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			isolated(t)
			x.run(t)
		})
	}
}

func (x *exchange) run(t *testing.T) {
	program, _, _ := strings.Cut(x.talk, " ")
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	x.files(t, dir)
	x.serve(t, dir)
	in := besra.ContextNetwork
	switch {
	case strings.Contains(x.facts, "archive."):
		in = besra.ContextArchive
	case strings.Contains(x.facts, "mail."):
		in = besra.ContextMail
	}
	f := live(t, func() error {
		if said, err := shell(t, dir, x.talk).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", x.talk, err, said)
		}
		return nil
	}, wanted{x.want, x.gap}, "--pack", (&spot{in: in}).pack(t, x.facts))
	if f == nil {
		return
	}
	if got := f.Patterns[0].Matches[0].Offset; got != markerAt {
		t.Errorf("got offset %d, want %d", got, markerAt)
	}
	if f.Verdict != besra.VerdictSuppressed {
		t.Errorf("%s is %s, want suppressed: %+v", f.Target.Name, f.Verdict, f.Decisions)
	}
}

// shell is a line for the shell in a folder, with PEERS for that of the scripts.
func shell(t *testing.T, dir, line string) *exec.Cmd {
	scripts, err := filepath.Abs("testdata/peers")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.SysProcAttr = bound(syscall.CLONE_NEWPID)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PEERS="+scripts)
	return cmd
}

// files lays out what is served and sent. Others than root read it.
func (x *exchange) files(t *testing.T, dir string) {
	for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
		os.Chmod(up, 0o755)
	}
	for sub, mode := range map[string]os.FileMode{"sub": 0o755, "in": 0o777, "run": 0o777, "empty": 0o555, "box": 0o777,
		"box/cur": 0o777, "box/.Other": 0o777, "box/.Other/cur": 0o777, "box/.Sent": 0o777, "box/.Sent/cur": 0o777} {
		if err := os.MkdirAll(filepath.Join(dir, sub), mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, sub), mode)
	}
	zipped := mailed("tool.zip", zipWith(marker)(t))
	for name, text := range map[string]string{"tool.py": marker, "tool.txt": marker, "sub/tool.py": marker, "later": "0123456789" + marker, "sub/later": "0123456789" + marker,
		"tool.br": string(squeezed([]byte(marker), codings()["br"])), "tool.zstd": string(squeezed([]byte(marker), codings()["zstd"])), "other": "nothing here\n",
		"mail.eml": strings.ReplaceAll(attached("base64"), "\n", "\r\n"), "zip.eml": strings.ReplaceAll(zipped, "\n", "\r\n"),
		"box/cur/1.host:2,S": zipped, "box/.Other/cur/1.host:2,S": strings.ReplaceAll(zipped, "hello", "other")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// isolated gives the goroutine, and what it starts, a network of its own with
// nothing but a loopback interface. Its thread ends with the goroutine.
func isolated(t *testing.T) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("a network of its own: %v", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// bound lets a process end with the thread that starts it, at the latest; in a
// namespace of processes all that it starts ends with it.
func bound(namespaces uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: namespaces}
}

// start runs a server until the test ends, and waits for its port.
func start(t *testing.T, port int, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip(err)
	}
	// No server wants to be the first process, or leaves nothing in shared memory.
	cmd := exec.Command("sh", append([]string{"-c", `mount -t tmpfs none /dev/shm; "$@"; exit $?`, "sh", path}, args...)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = bound(syscall.CLONE_NEWPID)
	cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", program, said.String())
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-poll.C:
		}
	}
}
