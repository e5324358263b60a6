package pe_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/pe"
	"github.com/besra-hunt/besra/yara/yaratest"
)

// cast is who signs in the tests.
type cast struct{ root, issuer, signer, stamper *identity }

func newCast(t testing.TB) *cast {
	c := &cast{root: newIdentity(t, "Root", nil, nil)}
	c.issuer = newIdentity(t, "Issuer", c.root, nil)
	c.signer = newIdentity(t, "Signer", c.issuer, nil)
	c.stamper = newIdentity(t, "Stamper", c.root, nil)
	return c
}

func (c *cast) signing() *signing {
	return &signing{by: c.signer, certificates: []*identity{c.issuer, c.signer, c.root}}
}

func unsignedFile(is64 bool) []byte {
	b := sample(is64)
	b.overlay = nil
	return b.bytes()
}

// field returns values by paths, separated by spaces.
func fields(t *testing.T, in *module.Input, paths ...string) string {
	t.Helper()
	var got []string
	for _, p := range paths {
		got = append(got, yaratest.Show(yaratest.Get(t, pe.Module(), in, p)))
	}
	return strings.Join(got, " ")
}

func TestSignature(t *testing.T) {
	c := newCast(t)
	s := c.signing()
	s.opus = opusInfo("Prögramm", "https://example.com")
	for _, is64 := range []bool{false, true} {
		file := unsignedFile(is64)
		in := &module.Input{Data: sign(file, s.contentInfo(file))}
		thumbprint := sha1.Sum(c.signer.cert.Raw)
		for path, want := range map[string]string{
			"is_signed": "true", "number_of_signatures": "1",
			"signatures.0.verified":                      "true",
			"signatures.0.subject":                       `"/C=CH/O=Besra & Söhne/CN=Signer"`,
			"signatures.0.issuer":                        `"/C=CH/O=Besra & Söhne/CN=Issuer"`,
			"signatures.0.thumbprint":                    `"` + hex.EncodeToString(thumbprint[:]) + `"`,
			"signatures.0.version":                       "3",
			"signatures.0.algorithm":                     `"sha256WithRSAEncryption"`,
			"signatures.0.algorithm_oid":                 `"1.2.840.113549.1.1.11"`,
			"signatures.0.serial":                        fmt.Sprintf(`"%02x:%02x"`, c.signer.cert.SerialNumber.Int64()>>8, c.signer.cert.SerialNumber.Int64()&255),
			"signatures.0.not_before":                    "1600000000",
			"signatures.0.not_after":                     "2600000000",
			"signatures.0.digest_alg":                    `"sha256"`,
			"signatures.0.number_of_certificates":        "3",
			"signatures.0.number_of_countersignatures":   "0",
			"signatures.0.certificates.0.subject":        `"/C=CH/O=Besra & Söhne/CN=Issuer"`,
			"signatures.0.signer_info.program_name":      `"Prögramm"`,
			"signatures.0.signer_info.more_info":         `"https://example.com"`,
			"signatures.0.signer_info.digest_alg":        `"sha256"`,
			"signatures.0.signer_info.length_of_chain":   "3",
			"signatures.0.signer_info.chain.1.subject":   `"/C=CH/O=Besra & Söhne/CN=Issuer"`,
			"signatures.0.signer_info.chain.2.subject":   `"/C=CH/O=Besra & Söhne/CN=Root"`,
			"signatures.0.signer_info.chain.3.subject":   "undefined",
			"signatures.0.countersignatures.0.sign_time": "undefined",
		} {
			if got := fields(t, in, path); got != want {
				t.Errorf("%s (64-bit %v): got %s, want %s", path, is64, got, want)
			}
		}
		if digests := strings.Fields(fields(t, in, "signatures.0.digest", "signatures.0.file_digest")); digests[0] != digests[1] {
			t.Errorf("the digest is %s, the file's %s", digests[0], digests[1])
		}
		in.LibYARA = true
		in.Reset(t.Context(), in.Data, in.Time)
		if got, want := fields(t, in, "signatures.0.subject", "signatures.0.verified", "is_signed"), `"/C=CH/O=Besra & S\\xC3\\xB6hne/CN=Signer" true true`; got != want {
			t.Errorf("under the LibYARA dialect: got %s, want %s", got, want)
		}
	}
}

// TestNotVerified changes one thing of a sound signature.
func TestNotVerified(t *testing.T) {
	c := newCast(t)
	other := newIdentity(t, "Issuer", c.root, nil) // the same name, another key
	tests := []struct {
		name   string
		change func(s *signing)
		file   func(file []byte)
		want   string // number of signatures, verified, is_signed
	}{
		{name: "nothing", want: "1 true true"},
		{name: "sha1", change: func(s *signing) { s.sha1 = true }, want: "1 true true"},
		{name: "a byte of the section", file: func(f []byte) { f[raw+1]++ }, want: "1 false false"},
		{name: "the checksum, which is not covered", file: func(f []byte) { f[le.Uint32(f[60:])+24+64]++ }, want: "1 true true"},
		{name: "a byte of the DOS stub", file: func(f []byte) { f[64]++ }, want: "1 false false"},
		{name: "the digest", change: func(s *signing) { s.spoilDigest = true }, want: "1 false false"},
		{name: "the attributes", change: func(s *signing) { s.spoilAttributes = true }, want: "1 false false"},
		{name: "the issuer is another", change: func(s *signing) { s.certificates = []*identity{c.signer, other, c.root} }, want: "1 false false"},
		{name: "the issuer is missing", change: func(s *signing) { s.certificates = []*identity{c.signer} }, want: "1 true true"},
		{name: "the signer is missing", change: func(s *signing) { s.certificates = []*identity{c.issuer, c.root} }, want: "1 false false"},
		{name: "no certificates", change: func(s *signing) { s.certificates = nil }, want: "1 false false"},
		{name: "version 2", change: func(s *signing) { s.version = 2 }, want: "0 undefined false"},
		{name: "two signers", change: func(s *signing) { s.signers = 1 }, want: "0 undefined false"},
	}
	for _, tt := range tests {
		file := unsignedFile(false)
		s := c.signing()
		if tt.change != nil {
			tt.change(s)
		}
		data := sign(file, s.contentInfo(file))
		if tt.file != nil {
			tt.file(data)
		}
		in := &module.Input{Data: data}
		if got := fields(t, in, "number_of_signatures", "signatures.0.verified", "is_signed"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCounterSignatures(t *testing.T) {
	c := newCast(t)
	stamp := &signing{by: c.stamper, certificates: []*identity{c.stamper}}
	broken := &signing{by: c.stamper, certificates: []*identity{c.stamper}, spoilAttributes: true}
	tests := []struct {
		name string
		add  func([]byte) [][]byte
		want string
	}{
		{"PKCS #9", countersign(stamp), `1 true true 1700000000 "sha256" 4 2 "/C=CH/O=Besra & Söhne/CN=Stamper"`},
		{"PKCS #9, broken", countersign(broken), `1 true false 1700000010 "sha256" 4 2 "/C=CH/O=Besra & Söhne/CN=Stamper"`},
		{"Microsoft", timestamp(stamp), `1 true true 1700000000 "sha256" 5 2 "/C=CH/O=Besra & Söhne/CN=Stamper"`},
		{"Microsoft, broken", timestamp(broken), `1 true false 1700000010 "sha256" 5 2 "/C=CH/O=Besra & Söhne/CN=Stamper"`},
		{"of something else", func([]byte) [][]byte { return timestamp(stamp)([]byte("other")) }, `1 true false 1700000000 "sha256" 5 2 "/C=CH/O=Besra & Söhne/CN=Stamper"`},
	}
	for _, tt := range tests {
		file := unsignedFile(false)
		s := c.signing()
		s.certificates = append(s.certificates, c.stamper)
		s.unsigned = tt.add
		in := &module.Input{Data: sign(file, s.contentInfo(file))}
		got := fields(t, in, "signatures.0.number_of_countersignatures", "signatures.0.verified", "signatures.0.countersignatures.0.verified",
			"signatures.0.countersignatures.0.sign_time", "signatures.0.countersignatures.0.digest_alg", "signatures.0.number_of_certificates",
			"signatures.0.countersignatures.0.length_of_chain", "signatures.0.countersignatures.0.chain.0.subject")
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestManySignatures(t *testing.T) {
	c := newCast(t)
	file := unsignedFile(false)
	inner := c.signing()
	inner.sha1 = true
	outer := c.signing()
	outer.unsigned = nest(inner.contentInfo(file))
	both := sign(file, outer.contentInfo(file), inner.contentInfo(file))
	in := &module.Input{Data: both}
	if got, want := fields(t, in, "number_of_signatures", "signatures.0.digest_alg", "signatures.1.digest_alg", "signatures.2.digest_alg", "signatures.1.verified", "signatures.2.verified"),
		`3 "sha256" "sha1" "sha1" true true`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	in = &module.Input{Data: both, LibYARA: true} // libyara reads the first entry only
	if got, want := fields(t, in, "number_of_signatures"), "2"; got != want {
		t.Errorf("under the LibYARA dialect: got %s, want %s", got, want)
	}
	// The last entry is not padded to a multiple of 8 bytes.
	cut := unsignedFile(false)
	entry := append(inner.contentInfo(cut), 0)
	for len(entry)%8 == 0 {
		entry = append(entry, 0)
	}
	data := sign(cut, entry)
	data = data[:len(data)-1]
	if got, want := fields(t, &module.Input{Data: data}, "number_of_signatures"), "0"; got != want {
		t.Errorf("with a cut table: got %s, want %s", got, want)
	}
}

func TestECDSA(t *testing.T) {
	c := newCast(t)
	s := c.signing()
	s.by = newIdentity(t, "Elliptic", c.issuer, newECDSA(t))
	s.certificates = append(s.certificates, s.by)
	file := unsignedFile(true)
	in := &module.Input{Data: sign(file, s.contentInfo(file))}
	if got, want := fields(t, in, "signatures.0.verified", "signatures.0.subject"), `true "/C=CH/O=Besra & Söhne/CN=Elliptic"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSignerByIssuerAndSerial: certificates of one issuer are told apart.
func TestSignerByIssuerAndSerial(t *testing.T) {
	c := newCast(t)
	s := c.signing()
	s.certificates = []*identity{newIdentity(t, "Sibling", c.issuer, nil), c.signer, c.issuer}
	file := unsignedFile(false)
	in := &module.Input{Data: sign(file, s.contentInfo(file))}
	if got, want := fields(t, in, "signatures.0.subject", "signatures.0.verified"), `"/C=CH/O=Besra & Söhne/CN=Signer" true`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidOn(t *testing.T) {
	c := newCast(t)
	file := unsignedFile(false)
	in := &module.Input{Data: sign(file, c.signing().contentInfo(file))}
	m := pe.Module()
	var signatures, validOn *module.Field
	for _, f := range m.Schema.Fields {
		if f.Name == "signatures" {
			signatures = f
		}
	}
	for _, f := range signatures.Type.Elem.Fields {
		if f.Name == "valid_on" {
			validOn = f
		}
	}
	root := m.Load(in)
	list := root.Field(slices.Index(m.Schema.Fields, signatures)).List()
	for at, want := range map[int64]string{1599999999: "false", 1600000000: "true", 2600000000: "true", 2600000001: "false"} {
		got := validOn.Funcs[0].Call(&module.Call{Input: in, Root: root, Self: list.At(0)}, []module.Value{module.Int(at)})
		if yaratest.Show(got) != want {
			t.Errorf("valid_on(%d): got %s, want %s", at, yaratest.Show(got), want)
		}
	}
	absent := validOn.Funcs[0].Call(&module.Call{Input: in, Root: root}, []module.Value{module.Int(0)})
	if absent.Defined() {
		t.Errorf("of a signature that is not there: got %s", yaratest.Show(absent))
	}
}

// TestWriteSignatures writes the samples of this file to a directory, for a
// comparison with another engine by hand.
func TestWriteSignatures(t *testing.T) {
	dir := os.Getenv("PE_SAMPLES")
	if dir == "" {
		t.Skip("PE_SAMPLES names no directory")
	}
	c := newCast(t)
	stamp := &signing{by: c.stamper, certificates: []*identity{c.stamper}}
	files := map[string]func(s *signing){
		"signed": func(*signing) {}, "signed-sha1": func(s *signing) { s.sha1 = true }, "spoilt": func(s *signing) { s.spoilAttributes = true },
		"countersigned": func(s *signing) { s.unsigned = countersign(stamp); s.certificates = append(s.certificates, c.stamper) },
		"timestamped":   func(s *signing) { s.unsigned = timestamp(stamp) },
		"two-signers":   func(s *signing) { s.signers = 1 },
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		s := c.signing()
		s.opus = opusInfo("Program", "https://example.com")
		files[name](s)
		file := unsignedFile(false)
		if err := os.WriteFile(filepath.Join(dir, name), sign(file, s.contentInfo(file)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
