package pe

import (
	//lint:ignore SA1019 old signatures use it, and they are only verified
	"crypto/dsa"
	"crypto/rand"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
)

// TestMD2 has the test suite of RFC 1319, appendix A.5.
func TestMD2(t *testing.T) {
	for message, want := range map[string]string{
		"":                           "8350e5a3e24c153df2275c9f80692773",
		"a":                          "32ec01ec4a6dac72c0ab96fb34c0b5d1",
		"abc":                        "da853b0d3f88d99b30283a69e6ded6bb",
		"message digest":             "ab4f496bfb2a530b219ff33031fe06b0",
		"abcdefghijklmnopqrstuvwxyz": "4e8ddff3650292ab5a4108c3aa47940b",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789":                   "da33def2a42df13975352846c30338cd",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890": "d5976f79d83d3a0dc9806c3c66f3efd8",
	} {
		h := newMD2()
		_, _ = h.Write([]byte("forgotten"))
		h.Reset()
		for i := range len(message) {
			_, _ = h.Write([]byte{message[i]})
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%q: got %s, want %s", message, got, want)
		}
	}
}

func TestDSA(t *testing.T) {
	var key dsa.PrivateKey
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		t.Fatal(err)
	}
	if err := dsa.GenerateKey(&key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum([]byte("message"))
	r, s, err := dsa.Sign(rand.Reader, &key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	marshal := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	signature := marshal(struct{ R, S *big.Int }{r, s})
	parameters := marshal(struct{ P, Q, G *big.Int }{key.P, key.Q, key.G})
	if !verifyDSA(marshal(key.Y), parameters, digest[:], signature) {
		t.Error("a sound signature is not verified")
	}
	digest[0]++
	if verifyDSA(marshal(key.Y), parameters, digest[:], signature) {
		t.Error("a signature of something else is verified")
	}
	zero := marshal(struct{ P, Q, G *big.Int }{new(big.Int), new(big.Int), new(big.Int)})
	if verifyDSA(marshal(key.Y), zero, digest[:], signature) {
		t.Error("a key without a modulus verifies")
	}
}

func TestOIDString(t *testing.T) {
	for _, tt := range []struct {
		content string
		want    string
		ok      bool
	}{
		{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "1.2.840.113549.1.1.11", true},
		{"\x55\x04\x03", "2.5.4.3", true},
		{"\x88\x37\x03", "2.999.3", true},
		{"\x00", "0.0", true},
		{"", "", false},
		{"\x2a\x86", "", false},
		{"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "", false},
	} {
		if got, ok := oidString([]byte(tt.content)); got != tt.want || ok != tt.ok {
			t.Errorf("%x: got %q, %v, want %q, %v", tt.content, got, ok, tt.want, tt.ok)
		}
	}
}

// A certificate needs a validity.
func TestCertificateValidity(t *testing.T) {
	element := func(tag byte, content string) string { return string([]byte{tag, byte(len(content))}) + content }
	for validity, want := range map[string]bool{
		element(0x17, "200101000000Z") + element(0x17, "300101000000Z"): true,
		element(0x17, "200101000000Z") + element(0x17, "309901000000Z"): false,
		element(0x17, "200101000000Z"):                                  false,
	} {
		algorithm, name := element(0x30, element(6, "\x2a\x03")), element(0x30, "")
		body := element(0x30, element(2, "\x01")+algorithm+name+element(0x30, validity)+name+element(0x30, ""))
		el, _, _ := binfmt.ReadBER([]byte(element(0x30, body+algorithm+element(3, "\x00"))))
		if _, ok := readCertificate(el); ok != want {
			t.Errorf("%q: a certificate %v, want %v", validity, ok, want)
		}
	}
}

func TestNameText(t *testing.T) {
	pair := func(oid, tag, value string) string {
		id := "\x06" + string(rune(len(oid))) + oid
		v := tag + string(rune(len(value))) + value
		return "\x31" + string(rune(4+len(id)+len(v)-2)) + "\x30" + string(rune(len(id)+len(v))) + id + v
	}
	const cn, email, unknown = "\x55\x04\x03", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "\x2a\x03\x04"
	const printable, utf8, ia5, teletex, bmp = "\x13", "\x0c", "\x16", "\x14", "\x1e"
	for _, tt := range []struct{ pair, want, libyara string }{
		{pair(cn, printable, "A.B"), "/CN=A.B", "/CN=A.B"},
		{pair(cn, printable, "A&B"), "/CN=#412642", "/CN=A&B"}, // not a PrintableString
		{pair(cn, utf8, "\xc3\xb6"), "/CN=ö", `/CN=\xC3\xB6`},
		{pair(cn, utf8, "\xf6"), "/CN=#f6", `/CN=\xF6`},
		{pair(cn, teletex, "A&B"), "/CN=A&B", "/CN=A&B"},
		{pair(cn, teletex, "\xf6"), "/CN=#f6", `/CN=\xF6`},
		{pair(cn, bmp, "\x00A"), "/CN=#0041", `/CN=\x00A`},
		{pair(email, ia5, "a@b"), "/email=a@b", "/emailAddress=a@b"},
		{pair(unknown, ia5, "x"), "/1.2.3.4=x", "/1.2.3.4=x"},
		{pair(cn, utf8, "A") + "\x31\x00" + pair(cn, utf8, "B"), "/CN=A", "/CN=A/CN=B"}, // a part with nothing in it ends the name
		{"\x31\x02\x30\x00", "", "/="},
	} {
		raw := []byte("\x30" + string(rune(len(tt.pair))) + tt.pair)
		if got := nameText(raw); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.pair, got, tt.want)
		}
		if got := nameTextLibYARA(raw); got != tt.libyara {
			t.Errorf("%q under the LibYARA dialect: got %q, want %q", tt.pair, got, tt.libyara)
		}
	}
}
