package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

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
	access_log off; default_type text/plain; client_max_body_size 10m; client_body_temp_path %[1]s/run; proxy_temp_path %[1]s/run; fastcgi_temp_path %[1]s/run;
	uwsgi_temp_path %[1]s/run; scgi_temp_path %[1]s/run;
	server {
		listen 127.0.0.1:80; root %[1]s;
		location = /tool.txt { gzip on; gzip_min_length 1; gzip_types *; }
		location = /tool.br { add_header Content-Encoding br; }
		location = /tool.zstd { add_header Content-Encoding zstd; }
		location = /slow { limit_rate 1m; }
		location /in { proxy_pass http://127.0.0.1:81; }
	}
	server { listen 127.0.0.1:81; location / { return 200; } }
}`, dir))
}

func python(t *testing.T, dir string) {
	start(t, 80, "python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", dir, "80")
}

// web10 answers as HTTP/1.0 did at first: with no length.
func web10(t *testing.T, dir string) {
	start(t, 80, "python3", "-c", `import http.server
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(open("`+dir+`" + self.path, "rb").read())
http.server.HTTPServer(("127.0.0.1", 80), Web).serve_forever()`)
}

// webSocket sends a file to who asks, and takes what it sends. The module is the
// distribution's, for the distribution's Python.
func webSocket(t *testing.T, dir string) {
	if said, err := exec.Command("/usr/bin/python3", "-c", "import websockets").CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, said)
	}
	scripts, err := filepath.Abs("testdata/peers")
	if err != nil {
		t.Fatal(err)
	}
	start(t, 80, "/usr/bin/python3", filepath.Join(scripts, "web_socket.py"), "serve", filepath.Join(dir, "tool.py"))
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

// pureFTPd serves the folder as the home of the user ftp.
func pureFTPd(t *testing.T, dir string) {
	server, err := exec.LookPath("pure-ftpd")
	if err != nil {
		t.Skip(err)
	}
	ftp, err := user.Lookup("ftp")
	if err != nil {
		t.Skip(err)
	}
	start(t, 21, "sh", "-c", `mount --bind "$1" "$2" && shift 2 && exec "$@"`, "sh", dir, ftp.HomeDir, server, "-S", "127.0.0.1,21", "-e", "-M", "-H", "-4")
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

// dovecot serves two mailboxes, and takes any password.
func dovecot(t *testing.T, dir string) {
	cert, key := filepath.Join(dir, "run", "cert"), filepath.Join(dir, "run", "key")
	writeCertificate(t, cert, key)
	start(t, 143, "dovecot", "-F", "-c", settings(t, dir, `protocols = imap pop3
listen = 127.0.0.1
base_dir = %[1]s/run/dovecot
state_dir = %[1]s/run/dovecot
log_path = /dev/stderr
ssl = yes
ssl_cert = <%[2]s
ssl_key = <%[3]s
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:%[1]s/box
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/box
}
`, dir, cert, key))
}

// squid asks two services of ICAP about each message, with a preview.
func squid(t *testing.T, dir string) {
	start(t, 3128, "squid", "-N", "-f", settings(t, dir, `http_port 127.0.0.1:3128
visible_hostname proxy.example
http_access allow all
cache deny all
access_log none
cache_log %[1]s/run/log
coredump_dir %[1]s/run
pid_filename %[1]s/run/squid
pinger_enable off
netdb_filename none
icap_enable on
icap_preview_enable on
icap_preview_size 128
icap_send_client_ip on
icap_service up reqmod_precache icap://127.0.0.1:1344/reqmod bypass=off
icap_service down respmod_precache icap://127.0.0.1:1344/respmod bypass=off
adaptation_access up allow all
adaptation_access down allow all
`, dir))
}

// postfix delivers to one folder, and asks a milter about each message where one
// is given.
func postfix(milter string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { startPostfix(t, dir, milter) }
}

func startPostfix(t *testing.T, dir, milter string) {
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Skip(err)
	}
	conf, data := filepath.Join(dir, "postfix"), filepath.Join(dir, "run", "data")
	for _, d := range []string{conf, data, filepath.Join(dir, "run", "queue")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(data, uid, -1); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.cf": `compatibility_level = 3.6
queue_directory = DIR/run/queue
data_directory = DIR/run/data
maillog_file = DIR/run/log
maillog_file_prefixes = DIR
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.d.example
mydestination =
alias_maps =
virtual_mailbox_domains = d.example
virtual_mailbox_base = DIR
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
smtpd_milters = MILTER
milter_default_action = tempfail
`, "master.cf": `smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`} {
		if err := os.WriteFile(filepath.Join(conf, name), []byte(strings.NewReplacer("DIR", dir, "MILTER", milter).Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	start(t, 25, "postfix", "-c", conf, "start-fg")
}
