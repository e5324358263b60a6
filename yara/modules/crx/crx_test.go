package crx_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/modules/crx"
	"github.com/besra-hunt/besra/yara/yaratest"
)

const (
	manifest = `{"name": "__MSG_title__", "description": "plain", "version": "1.2", "default_locale": "de",
		"permissions": ["tabs", "storage"], "host_permissions": ["https://*/"], "Homepage_URL": "not this", "background": {"page": 1}}`
	messages = `{"title": {"message": "Titel", "description": "unused"}}`
)

func archive(files map[string]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, _ := w.Create(name)
		f.Write([]byte(content))
	}
	w.Close()
	return b.Bytes()
}

var files = map[string]string{"manifest.json": manifest, "_locales/de/messages.json": messages}

// keys are made anew in each run: what is tested does not depend on them.
type keys struct {
	rsa   *rsa.PrivateKey
	ecdsa *ecdsa.PrivateKey
}

func newKeys(t testing.TB) keys {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keys{r, e}
}

func public(key any) []byte {
	b, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return b
}

func u32(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

func version2(k keys, zip []byte) []byte {
	sum := sha1.Sum(zip)
	signature, _ := rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA1, sum[:])
	key := public(&k.rsa.PublicKey)
	return bytes.Join([][]byte{[]byte("Cr24"), u32(2), u32(len(key)), u32(len(signature)), key, signature, zip}, nil)
}

// field is a field of bytes of a protocol buffer.
func field(number uint64, value []byte) []byte {
	b := binary.AppendUvarint(nil, number<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

func version3(k keys, zip []byte) []byte {
	signed := field(1, []byte("\x00\x1f0123456789abcd"))
	h := sha256.New()
	h.Write([]byte("CRX3 SignedData\x00"))
	h.Write(u32(len(signed)))
	h.Write(signed)
	h.Write(zip)
	sum := h.Sum(nil)
	r, _ := rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, sum)
	e, _ := ecdsa.SignASN1(rand.Reader, k.ecdsa, sum)
	header := bytes.Join([][]byte{
		field(3, append(field(1, public(&k.ecdsa.PublicKey)), field(2, e)...)),
		{7 << 3, 1, 8<<3 | 5, 1, 2, 3, 4, 9<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8}, // fields that are not known
		field(2, append(field(1, public(&k.rsa.PublicKey)), field(2, r)...)),
		field(2, field(1, []byte("a key without signature"))),
		field(10000, signed),
	}, nil)
	return bytes.Join([][]byte{[]byte("Cr24"), u32(3), u32(len(header)), header, zip}, nil)
}

func show(t *testing.T, data []byte, path string) string {
	t.Helper()
	return yaratest.Show(yaratest.Get(t, crx.Module(), &module.Input{Data: data}, path))
}

func TestFields(t *testing.T) {
	k := newKeys(t)
	zip := archive(files)
	id := sha256.Sum256(public(&k.rsa.PublicKey))
	letters := []byte(hex.EncodeToString(id[:16]))
	for i, c := range letters {
		if letters[i] = c - '0' + 'a'; c >= 'a' {
			letters[i] = c + 10
		}
	}
	rsaKey := `"` + base64.StdEncoding.EncodeToString(public(&k.rsa.PublicKey)) + `"`
	for _, test := range []struct {
		name string
		data []byte
		want map[string]string
	}{
		{"version 2", version2(k, zip), map[string]string{
			"crx_version": "2", "id": `"` + string(letters) + `"`, "signatures.0.key": rsaKey,
			"signatures.0.verified": "true", "signatures.1.key": "undefined",
		}},
		{"version 3", version3(k, zip), map[string]string{
			"crx_version": "3", "id": `"aabpdadbdcdddedfdgdhdidjgbgcgdge"`, "signatures.0.key": rsaKey,
			"signatures.0.verified": "true", "signatures.1.verified": "true", "signatures.2.key": "undefined",
		}},
		{"both", version2(k, zip), map[string]string{
			"is_crx": "true", "name": `"Titel"`, "raw_name": `"__MSG_title__"`, "description": `"plain"`,
			"version": `"1.2"`, "homepage_url": "undefined", "permissions.1": `"storage"`, "permissions.2": "undefined",
			"host_permissions.0": `"https://*/"`, "optional_permissions.0": "undefined",
		}},
	} {
		for path, want := range test.want {
			if got := show(t, test.data, path); got != want {
				t.Errorf("%s: %s: got %s, want %s", test.name, path, got, want)
			}
		}
	}
	in := &module.Input{Data: version2(k, zip)}
	sum := sha256.Sum256([]byte("tabsstorage"))
	if got, _ := yaratest.Call(t, crx.Module(), in, "permhash").Text(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("permhash: got %s, want %x", got, sum)
	}
}

// A signature of other content is not verified, and no reason to give up.
func TestForged(t *testing.T) {
	k := newKeys(t)
	zip := archive(files)
	for _, make := range []func(keys, []byte) []byte{version2, version3} {
		data := make(k, append([]byte("added before the archive"), zip...))
		i := bytes.Index(data, []byte("added"))
		data[i] = 'A'
		for path, want := range map[string]string{"signatures.0.verified": "false", "name": `"Titel"`} {
			if got := show(t, data, path); got != want {
				t.Errorf("%s: got %s, want %s", path, got, want)
			}
		}
	}
}

func TestManifests(t *testing.T) {
	k := newKeys(t)
	tests := []struct{ manifest, messages, path, want string }{
		{"", "", "name", "undefined"},
		{"{", "", "is_crx", "true"},
		{"{", "", "name", "undefined"},
		{`{"name": "a", "version": 1}`, "", "name", "undefined"},
		{`{"name": "a", "permissions": [{}]}`, "", "name", "undefined"},
		{`{"name": "a", "permissions": null}`, "", "name", "undefined"},
		{`{"name": "a", "version": null}`, "", "name", `"a"`},
		{`{"name": "a"}`, "", "raw_name", "undefined"},
		{`{"name": "__MSG_a__"}`, "", "name", `"__MSG_a__"`},
		{`{"name": "__MSG_a__"}`, `{"a": {"message": "A"}}`, "name", `"A"`},
		{`{"name": "__MSG_b__"}`, `{"a": {"message": "A"}}`, "name", `"__MSG_b__"`},
		{`{"name": "__MSG_a__"}`, `{"a": {"message": "A"}, "b": {}}`, "name", `"__MSG_a__"`},
		{`{"name": "` + string(bytes.Repeat([]byte("a"), 4<<20)) + `"}`, "", "name", "undefined"},
	}
	for _, test := range tests {
		files := map[string]string{"other": ""}
		if test.manifest != "" {
			files["manifest.json"] = test.manifest
		}
		if test.messages != "" {
			files["_locales/en/messages.json"] = test.messages
		}
		if got := show(t, version2(k, archive(files)), test.path); got != test.want {
			t.Errorf("%.60s %s: %s: got %.60s, want %s", test.manifest, test.messages, test.path, got, test.want)
		}
	}
}

// What Chrome does not unpack counts as in YARA-X: an archive with a damaged
// directory is no package, a file with another checksum is not there.
func TestDamagedArchive(t *testing.T) {
	k := newKeys(t)
	change := func(magic string, at int) []byte {
		zip := archive(map[string]string{"manifest.json": `{"name": "a"}`})
		zip[bytes.Index(zip, []byte(magic))+at] ^= 1
		return version2(k, zip)
	}
	const central = "PK\x01\x02"
	for _, test := range []struct {
		name, path, want string
		data             []byte
	}{
		{"directory", "is_crx", "false", change(central, 3)},
		{"checksum", "is_crx", "true", change(central, 16)},
		{"checksum", "name", "undefined", change(central, 16)},
		{"time", "name", `"a"`, change(central, 12)},
	} {
		if got := show(t, test.data, test.path); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.path, got, test.want)
		}
	}
}

func TestOther(t *testing.T) {
	k := newKeys(t)
	sound := version3(k, archive(files))
	for _, data := range [][]byte{nil, []byte("Cr24"), []byte("Cr24\x04\x00\x00\x00"), sound[:20], sound[:len(sound)-1],
		version2(k, []byte("no archive")), bytes.Replace(sound, []byte("\x82\xf1\x04"), []byte("\x8a\xf1\x04"), 1)} {
		if got := show(t, data, "is_crx"); got != "false" {
			t.Errorf("%.20q: is_crx is %s", data, got)
		}
		if got := show(t, data, "permissions.0"); got != "undefined" {
			t.Errorf("%.20q: permissions.0 is %s", data, got)
		}
	}
}

func FuzzCrx(f *testing.F) {
	k := newKeys(f)
	f.Add(version2(k, archive(files)))
	f.Add(version3(k, archive(files)))
	m := crx.Module()
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &module.Input{Data: data}
		root := m.Load(in)
		for i := range m.Schema.Fields {
			root.Field(i)
		}
		for i := range min(3, yaratest.Get(t, m, in, "signatures").List().Len()) {
			yaratest.Get(t, m, in, "signatures").List().At(i).Field(1)
		}
		yaratest.Call(t, m, in, "permhash")
	})
}
