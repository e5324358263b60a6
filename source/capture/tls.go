package capture

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

const (
	recordHandshake   = 22
	helloClient       = 1
	helloServer       = 2
	extensionName     = 0
	nameHost          = 0
	maxHelloRecords   = 4
	recordHeaderBytes = 5
)

// serverName returns the name in a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3);
// empty where b begins with none.
func serverName(b []byte) string {
	hello := cryptobyte.String(handshake(b))
	var kind uint8
	var body, session, suites, compression, extensions cryptobyte.String
	if !hello.ReadUint8(&kind) || kind != helloClient || !hello.ReadUint24LengthPrefixed(&body) ||
		!body.Skip(2+32) || !body.ReadUint8LengthPrefixed(&session) || !body.ReadUint16LengthPrefixed(&suites) ||
		!body.ReadUint8LengthPrefixed(&compression) || !body.ReadUint16LengthPrefixed(&extensions) {
		return ""
	}
	for !extensions.Empty() {
		var id uint16
		var data, names, name cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&data) {
			return ""
		}
		if id == extensionName && data.ReadUint16LengthPrefixed(&names) && names.ReadUint8(&kind) && kind == nameHost &&
			names.ReadUint16LengthPrefixed(&name) {
			return string(name)
		}
	}
	return ""
}

// startsTLS reports whether a direction goes over to TLS: at once, or after lines
// such as STARTTLS of SMTP or AUTH of FTP, and what grants them.
func startsTLS(b []byte) bool {
	i := bytes.Index(b[:min(len(b), 4096)], []byte{recordHandshake, 3})
	if i < 0 || len(b) <= i+recordHeaderBytes || i > 0 && b[i-1] != '\n' {
		return false
	}
	kind := b[i+recordHeaderBytes]
	return kind == helloClient || kind == helloServer
}

// handshake joins the fragments of the first handshake records.
func handshake(b []byte) []byte {
	var joined []byte
	for range maxHelloRecords {
		if len(b) < recordHeaderBytes || b[0] != recordHandshake || b[1] != 3 {
			break
		}
		size := int(b[3])<<8 | int(b[4])
		if size > len(b)-recordHeaderBytes {
			break
		}
		joined = append(joined, b[recordHeaderBytes:recordHeaderBytes+size]...)
		b = b[recordHeaderBytes+size:]
	}
	return joined
}
