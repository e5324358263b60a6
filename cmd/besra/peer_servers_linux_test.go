package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
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
