// Package crx is the YARA module "crx": what is in a Chrome extension package,
// version 2 or 3: its signatures, and the manifest in the ZIP archive that it
// carries.
//
// A target is a package where its header is whole and an archive follows. A
// manifest or a locale's messages that are no JSON, or have a member of
// another type than Chrome asks for, count as missing.
//
// # Laziness
//
// Loading reads the header and the archive's central directory. The manifest
// is inflated when a condition first asks for one of its fields, signatures
// are verified when their field verified is asked for, each once. A target
// that does not begin with "Cr24" costs a look at four bytes.
//
// # Bounds
//
// At most 64 signatures are read, with keys of at most 4 KiB. Manifest and
// messages are at most 4 MiB each. The archive has at most 100,000 entries.
// Time is linear in the size of the file, plus these.
package crx

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits; see the package comment.
const (
	maxSignatures = 64
	maxKey        = 4 << 10
	maxJSON       = 4 << 20
)

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	typ := column.Type("crx", root)
	blank := column.Blank(typ, map[string]module.Value{"is_crx": module.Boolean(false)})
	return &module.Module{
		Name:   "crx",
		Doc:    "What is in a Chrome extension package.",
		Schema: typ,
		Load: func(in *module.Input) module.Value {
			if p := packageOf(in); p != nil {
				return column.Struct(root, p)
			}
			return blank
		},
	}
}

type packageKey struct{}

// packageOf returns the target of the scan as a package, nil where it is none.
func packageOf(in *module.Input) *extension {
	if len(in.Data) < len(magic) || string(in.Data[:len(magic)]) != magic {
		return nil
	}
	return in.Memo(packageKey{}, func() any { return parse(in.Data) }).(*extension)
}

var root = []column.Column[*extension]{
	column.Bool("is_crx", "Whether the target is a Chrome extension package.", func(*extension) bool { return true }),
	column.Int("crx_version", "The version of the format, 2 or 3.", func(p *extension) uint32 { return p.version }),
	column.Int("header_size", "The size of the header's keys and signatures, in bytes.", func(p *extension) uint32 { return p.headerSize }),
	column.Text("id", "The extension's identifier, 32 letters from a to p.", func(p *extension) string { return p.id }),
	member("version", "The extension's version.", func(m *manifest) maybe { return m.version }),
	member("name", "The extension's name, in its default language.", func(m *manifest) maybe { return m.resolve(m.name) }),
	member("description", "The extension's description, in its default language.", func(m *manifest) maybe { return m.resolve(m.description) }),
	member("raw_name", "The name as the manifest has it; undefined where there is no default language.", func(m *manifest) maybe { return m.raw(m.name) }),
	member("raw_description", "The description as the manifest has it; undefined where there is no default language.", func(m *manifest) maybe { return m.raw(m.description) }),
	member("minimum_chrome_version", "The oldest Chrome that is enough.", func(m *manifest) maybe { return m.minimumChrome }),
	member("homepage_url", "The extension's home page.", func(m *manifest) maybe { return m.homepage }),
	column.Texts("permissions", "What the extension asks for.", func(p *extension) []string { return p.loadManifest().permissions }),
	column.Texts("host_permissions", "The hosts that the extension asks for.", func(p *extension) []string { return p.loadManifest().hosts }),
	column.Texts("optional_permissions", "What the extension may ask for later.", func(p *extension) []string { return p.loadManifest().optional }),
	column.Texts("optional_host_permissions", "The hosts that the extension may ask for later.", func(p *extension) []string { return p.loadManifest().optionalHosts }),
	column.Rows("signatures", "The signatures of the package.", "CrxSignature", signatures, func(p *extension) []*proof { return p.proofs }),
	column.Func[*extension]("permhash", "The SHA-256 digest of the permissions, in hexadecimal digits.", module.String, column.Overload{Call: permhash}),
}

var signatures = []column.Column[*proof]{
	column.Text("key", "The public key in base64.", (*proof).keyText),
	column.Bool("verified", "Whether the signature is sound.", (*proof).verify),
}

func member(name, doc string, get func(*manifest) maybe) column.Column[*extension] {
	return column.OptText(name, doc, func(p *extension) (string, bool) {
		m := get(p.loadManifest())
		return m.value, m.ok
	})
}

func permhash(c *module.Call, _ []module.Value) module.Value {
	p := packageOf(c.Input)
	if p == nil {
		return module.Value{}
	}
	h := sha256.New()
	for _, s := range p.loadManifest().permissions {
		h.Write([]byte(s))
	}
	return module.Text(hex.EncodeToString(h.Sum(nil)))
}
