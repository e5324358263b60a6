package capture

import (
	"bytes"
	"net"
	"path"
	"strconv"
	"strings"
)

// portFTP is where control connections of FTP go.
const portFTP = 21

// control reports whether the flow goes to or from a control connection.
func (f flow) control() bool {
	return f.proto == "tcp" && (f.dstPort == portFTP || f.srcPort == portFTP)
}

// ftpTransfer is a data connection that was agreed on: its file is named by a
// command that may come before or after it was opened.
type ftpTransfer struct{ name string }

// file is the name of the file that a data connection carries; empty where it is
// none, or none is known.
func (c *conversation) file() string {
	if c.ftp == nil || c.sides[0].flow.control() || c.sides[1].flow.control() {
		return ""
	}
	return c.ftp.name
}

// maxTransfers bounds how many agreements are remembered.
const maxTransfers = 4096

// ftpTransfers are the agreements that wait for their connection, by the
// endpoint that listens.
type ftpTransfers map[string]*ftpTransfer

// claim returns the agreement that a new connection fulfils; nil without one.
func (t ftpTransfers) claim(f flow) *ftpTransfer {
	key := f.endpoint(f.dst, f.dstPort)
	transfer := t[key]
	delete(t, key)
	return transfer
}

// agree remembers that a connection to an endpoint will carry a file.
func (t ftpTransfers) agree(c *conversation, ip net.IP, port int) {
	if len(t) >= maxTransfers {
		clear(t)
	}
	c.ftp = &ftpTransfer{}
	t[flow{}.endpoint(ip, uint16(port))] = c.ftp
}

// line reads a line of a control connection (RFC 959, RFC 2428): side 0 is the
// client, side 1 the server.
func (t ftpTransfers) line(c *conversation, side int, line string) {
	verb, args, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); {
	case side == 1 && verb == "227" || side == 0 && verb == "PORT":
		if ip, port, ok := sixNumbers(args); ok {
			t.agree(c, ip, port)
		}
	case side == 1 && verb == "229":
		if port, ok := extendedPort(args); ok {
			t.agree(c, c.sides[0].flow.dst, port)
		}
	case side == 0 && verb == "EPRT":
		if ip, port, ok := extendedAddress(args); ok {
			t.agree(c, ip, port)
		}
	case side == 0 && (verb == "RETR" || verb == "STOR" || verb == "APPE" || verb == "STOU"):
		if c.ftp != nil {
			c.ftp.name = c.folder.of(strings.TrimSpace(args)) + c.folder.from
		}
		c.folder.from = ""
	default:
		c.folder.line(side, verb, args)
	}
}

// ftpFolder is where the client of a control connection stands: at first in one
// that is taken for the root.
type ftpFolder struct {
	at, asked string
	where     bool   // the client has asked where it stands
	from      string // where in its next file it begins: "@" and the offset; empty for the start
}

// of is a name as the root has it.
func (f *ftpFolder) of(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return path.Join("/", f.at, name)
}

// line follows the client that asks for another folder, once the server grants
// it, and the server that says where it stands.
func (f *ftpFolder) line(side int, verb, args string) {
	switch {
	case side == 0 && verb == "REST":
		if n, err := strconv.ParseUint(strings.TrimSpace(args), 10, 63); err == nil && n > 0 {
			f.from = "@" + strconv.FormatUint(n, 10)
		}
	case side == 0 && (verb == "PWD" || verb == "XPWD"):
		f.where = true
	case side == 0 && (verb == "CWD" || verb == "XCWD"):
		f.asked = f.of(strings.TrimSpace(args))
	case side == 0 && (verb == "CDUP" || verb == "XCUP"):
		f.asked = path.Dir(f.of("."))
	case side == 1 && verb == "257" && f.where:
		f.where = false
		if _, quoted, ok := strings.Cut(args, `"`); ok {
			if at, _, ok := strings.Cut(quoted, `"`); ok {
				f.at = at
			}
		}
	case side == 1 && f.asked != "" && (verb == "250" || verb == "200"):
		f.at, f.asked = f.asked, ""
	case side == 1 && f.asked != "" && len(verb) == 3 && verb > "399":
		f.asked = ""
	}
}

// sixNumbers reads "h1,h2,h3,h4,p1,p2", in parentheses or not.
func sixNumbers(s string) (net.IP, int, bool) {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[i+1:]
	}
	s, _, _ = strings.Cut(s, ")")
	fields := strings.Split(strings.TrimSpace(s), ",")
	if len(fields) != 6 {
		return nil, 0, false
	}
	var n [6]byte
	for i, f := range fields {
		v, err := strconv.ParseUint(strings.TrimSpace(f), 10, 8)
		if err != nil {
			return nil, 0, false
		}
		n[i] = byte(v)
	}
	return net.IP(n[:4]), int(n[4])<<8 | int(n[5]), true
}

// extendedPort reads the port of "(|||6446|)".
func extendedPort(s string) (int, bool) {
	_, s, ok := strings.Cut(s, "|||")
	if !ok {
		return 0, false
	}
	s, _, _ = strings.Cut(s, "|")
	port, err := strconv.ParseUint(s, 10, 16)
	return int(port), err == nil
}

// extendedAddress reads "|1|132.235.1.2|6275|".
func extendedAddress(s string) (net.IP, int, bool) {
	if len(s) < 2 {
		return nil, 0, false
	}
	fields := strings.Split(s, s[:1])
	if len(fields) < 4 {
		return nil, 0, false
	}
	ip := net.ParseIP(fields[2])
	port, err := strconv.ParseUint(fields[3], 10, 16)
	if v4 := ip.To4(); v4 != nil {
		ip = v4
	}
	return ip, int(port), ip != nil && err == nil
}

// ftp yields the bytes of a data connection under the name of their file.
func (d *dialogue) ftp() error {
	name := "ftp/" + strings.TrimPrefix(path.Clean("/"+d.window.file), "/")
	_, err := d.bodies(func(_ *framer, p portion) error { return d.yield(p.object(name)) })
	return err
}

// lineReader puts lines together as bytes come.
type lineReader struct{ partial []byte }

// maxLine bounds a line; a longer one is no command.
const maxLine = 4096

func (l *lineReader) feed(data []byte, each func(line string)) {
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if len(l.partial)+len(line) <= maxLine {
			l.partial = append(l.partial, line...)
		}
		if !ok {
			return
		}
		each(strings.TrimRight(string(l.partial), "\r"))
		l.partial, data = l.partial[:0], rest
	}
}
