package detection

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/yara"
)

// Fit says how well a rule suits a place.
type Fit string

// The fits.
const (
	FitGood    Fit = "good"
	FitLimited Fit = "limited" // it works, with what the reasons say
	FitUnfit   Fit = "unfit"   // it cannot match there, or hardly ever
)

// Use is how well a rule suits one kind of place, and why.
type Use struct {
	Place   string        `json:"place"`
	Context besra.Context `json:"context"`
	Fit     Fit           `json:"fit"`
	Reasons []string      `json:"reasons,omitempty"`
}

// PatternReport is what is known of one pattern.
type PatternReport struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Encodings []string `json:"encodings,omitempty"`
	Bits      float64  `json:"bits"` // see yara.PatternTraits.Bits
	AtomBits  float64  `json:"atom_bits"`
	Cost      float64  `json:"cost"` // places a MiB verified in vain
	Note      string   `json:"note,omitempty"`
}

// Explanation is where a rule can be used, derived from its compiled form.
type Explanation struct {
	Rule      string   `json:"rule"`
	Origin    string   `json:"origin"`
	Line      int      `json:"line"`
	Uses      []Use    `json:"uses"`
	Classes   []string `json:"classes"`   // of files that it can match
	Platforms []string `json:"platforms"` // empty: any
	Headers   []string `json:"headers,omitempty"`
	Size      string   `json:"size,omitempty"`
	Fields    []string `json:"fields,omitempty"`
	Externals []string `json:"externals,omitempty"`
	Rules     []string `json:"rules,omitempty"`

	Patterns int             `json:"patterns"`
	Counts   map[string]int  `json:"counts"` // of patterns by kind and encoding
	Details  []PatternReport `json:"details,omitempty"`

	Anchored bool `json:"anchored"`
	// Cost is low, moderate or high; CostWhy says by what.
	Cost    string `json:"cost"`
	CostWhy string `json:"cost_why"`
	// Evidence is what the easiest way to satisfy the condition asks for, in
	// bits; FalsePositives says in a word what that means: rare, possible, prone.
	Evidence       float64  `json:"evidence_bits"`
	FalsePositives string   `json:"false_positives"`
	Weak           []string `json:"weak_patterns,omitempty"`
	// Engines is what other engines make of the rule; empty text means that they
	// take it.
	Engines map[string]string `json:"engines"`
}

// Explain derives where a rule can be used.
func Explain(rule yara.Rule) *Explanation {
	x := explainer{t: rule.Traits(), e: &Explanation{Rule: rule.Name(), Counts: map[string]int{}, Engines: map[string]string{}}}
	x.e.Origin, x.e.Line, _ = rule.Position()
	x.patterns(rule)
	x.condition()
	x.classes()
	x.uses()
	x.cost()
	x.falsePositives()
	x.engines()
	return x.e
}

// Contexts lists the contexts that the rule is not unfit for.
func (e *Explanation) Contexts() []besra.Context {
	var out []besra.Context
	for _, c := range besra.Contexts() {
		for _, u := range e.Uses {
			if u.Context == c && u.Fit != FitUnfit && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

type explainer struct {
	t yara.Traits
	e *Explanation

	text, wide, narrow, fullword, noAtom int // numbers of patterns
}

func (x *explainer) patterns(rule yara.Rule) {
	for p := range rule.Patterns() {
		t := p.Traits()
		r := PatternReport{ID: p.ID(), Kind: p.Kind().String(), Bits: round(t.Bits), AtomBits: round(t.AtomBits), Cost: round(t.Cost)}
		count := func(is bool, word string, n *int) {
			if is {
				r.Encodings = append(r.Encodings, word)
				x.e.Counts[word]++
				if n != nil {
					*n++
				}
			}
		}
		x.e.Counts[r.Kind]++
		count(t.Ascii, "ascii", &x.narrow)
		count(t.Wide, "wide", &x.wide)
		count(t.NoCase, "nocase", nil)
		count(t.FullWord, "fullword", &x.fullword)
		count(t.Xor, "xor", nil)
		count(t.Base64, "base64", nil)
		if t.Text {
			x.text++
		}
		switch {
		case len(t.Atom) == 0:
			r.Note = "no fixed bytes to search by: it is tried at every place"
			x.noAtom++
		case t.AtomBits < 20:
			r.Note = fmt.Sprintf("searched by %q, met about every %s", t.Atom, bytesText(math.Exp2(t.AtomBits)))
		}
		if t.Bits < weakBits {
			x.e.Weak = append(x.e.Weak, p.ID())
		}
		x.e.Details = append(x.e.Details, r)
		x.e.Patterns++
	}
}

// weakBits is the rarity below which a pattern alone proves nothing: it is met
// by chance more than once in 16 MiB.
const weakBits = 24

func (x *explainer) condition() {
	for _, h := range x.t.Headers {
		x.e.Headers = append(x.e.Headers, h.String())
	}
	switch {
	case x.t.MaxSize < math.MaxInt64 && x.t.MinSize > 0:
		x.e.Size = fmt.Sprintf("%d to %d bytes", x.t.MinSize, x.t.MaxSize)
	case x.t.MaxSize < math.MaxInt64:
		x.e.Size = fmt.Sprintf("at most %d bytes", x.t.MaxSize)
	case x.t.MinSize > 0:
		x.e.Size = fmt.Sprintf("at least %d bytes", x.t.MinSize)
	}
	x.e.Fields, x.e.Externals, x.e.Rules, x.e.Anchored = x.t.Fields, x.t.Externals, x.t.Rules, x.t.Anchored
}

// fileClass is a kind of file, told by its first bytes or a module.
type fileClass struct {
	name, platform string
	magic          []uint32 // as a little-endian integer at offset 0
	module         string
}

var fileClasses = []fileClass{
	{"PE executable", "windows", []uint32{0x5A4D}, "pe"},
	{".NET assembly", "windows", nil, "dotnet"},
	{"ELF executable", "linux", []uint32{0x464C457F, 0x457F}, "elf"},
	{"Mach-O executable", "macos", []uint32{0xFEEDFACE, 0xFEEDFACF, 0xCEFAEDFE, 0xCFFAEDFE, 0xBEBAFECA}, "macho"},
	{"Android DEX", "android", []uint32{0x0A786564}, "dex"},
	{"Windows shortcut", "windows", []uint32{0x4C}, "lnk"},
	{"OLE document or MSI", "", []uint32{0xE011CFD0, 0xCFD0}, "olecf"},
	{"OLE document with macros", "", nil, "vba"},
	{"Windows installer", "windows", nil, "msi"},
	{"ZIP (Office, JAR, APK)", "", []uint32{0x04034B50, 0x4B50}, "zip"},
	{"Chrome extension", "", []uint32{0x34327243}, "crx"},
	{"PDF", "", []uint32{0x46445025, 0x5025}, ""},
	{"RTF", "", []uint32{0x74725C7B, 0x5C7B}, ""},
	{"RAR", "", []uint32{0x21726152}, ""},
	{"gzip", "", []uint32{0x8B1F}, ""},
	{"script with #!", "", []uint32{0x2123}, ""},
	{"PHP or XML", "", []uint32{0x3F3C, 0x68703F3C, 0x6D783F3C}, ""},
	{"Java class", "", []uint32{0xBEBAFECA}, ""},
}

func (x *explainer) classes() {
	for _, c := range fileClasses {
		if !x.is(c) {
			continue
		}
		x.e.Classes = append(x.e.Classes, c.name)
		if c.platform != "" && !slices.Contains(x.e.Platforms, c.platform) {
			x.e.Platforms = append(x.e.Platforms, c.platform)
		}
	}
	switch {
	case len(x.e.Classes) > 0:
	case x.e.Patterns > 0 && x.text == x.e.Patterns && x.wide == 0:
		x.e.Classes = []string{"any: its patterns are text, as in scripts, sources, documents, logs and executables"}
	case x.e.Patterns > 0 && x.text == x.e.Patterns:
		x.e.Classes = []string{"any: its patterns are text, some as 16-bit units, as in Windows executables and documents"}
	default:
		x.e.Classes = []string{"any"}
	}
}

func (x *explainer) is(c fileClass) bool {
	for _, h := range x.t.Headers {
		if h.Offset == 0 && slices.ContainsFunc(c.magic, func(m uint32) bool { return m == h.Value || m <= 0xFFFF && m == h.Value&0xFFFF }) {
			return true
		}
	}
	return c.module != "" && slices.ContainsFunc(x.t.Fields, func(f string) bool { return strings.HasPrefix(f, c.module+".") })
}

// wholeFile are modules that read a whole file of a format from its start.
var wholeFile = []string{"pe", "dotnet", "elf", "macho", "dex", "lnk", "olecf", "vba", "msi", "zip", "crx", "magic", "cuckoo"}

func (x *explainer) modules(of []string) []string {
	var out []string
	for _, f := range x.t.Fields {
		if name, _, _ := strings.Cut(f, "."); slices.Contains(of, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// bound lists what ties the rule to a whole object from its first byte.
func (x *explainer) bound() []string {
	var why []string
	if len(x.t.Headers) > 0 {
		why = append(why, "it tests the header: "+x.t.Headers[0].String())
	} else if x.t.Reads {
		why = append(why, "it reads bytes at fixed offsets")
	}
	if x.t.MaxSize < math.MaxInt64 || x.t.MinSize > 0 || x.t.Filesize {
		why = append(why, "it asks for filesize")
	}
	if slices.Contains(x.t.Fields, "hash.md5") || slices.Contains(x.t.Fields, "hash.sha1") || slices.Contains(x.t.Fields, "hash.sha256") {
		why = append(why, "it compares digests of the content")
	}
	return why
}

func (x *explainer) uses() {
	bound, formats := x.bound(), x.modules(wholeFile)
	x.use("file", besra.ContextFile, FitGood)
	x.use("archive member", besra.ContextArchive, FitGood)
	x.unless("process memory", besra.ContextProcess, bound, formats, "in memory there is no first byte and no size of a file")
	x.unless("network stream", besra.ContextNetwork, bound, formats, "a stream does not begin and end with an object: carve it first")
	x.stream()
	x.use("HTTP body", besra.ContextNetwork, FitGood, "a body is a whole object once its encodings are undone")
	x.mail()
	x.layer()
	x.use("object store", besra.ContextObject, FitGood)
	x.externals()
}

func (x *explainer) use(place string, c besra.Context, fit Fit, reasons ...string) {
	x.e.Uses = append(x.e.Uses, Use{place, c, fit, reasons})
}

// unless judges a place where there is no whole object.
func (x *explainer) unless(place string, c besra.Context, bound, formats []string, why string) {
	switch {
	case len(bound) > 0:
		x.use(place, c, FitUnfit, append(slices.Clone(bound), why)...)
	case len(formats) > 0:
		x.use(place, c, FitLimited, "it needs the module "+strings.Join(formats, ", ")+", which reads a whole file from its start")
	case x.noAtom > 0:
		x.use(place, c, FitLimited, fmt.Sprintf("%d of its patterns are tried at every place, and there are many", x.noAtom))
	default:
		x.use(place, c, FitGood)
	}
}

// stream adds what else must be true of streams.
func (x *explainer) stream() {
	u := &x.e.Uses[len(x.e.Uses)-1]
	if u.Fit == FitUnfit {
		return
	}
	u.Reasons = append(u.Reasons, "streams must be reassembled, and decrypted where they are encrypted")
	if x.fullword > 0 {
		u.Reasons = append(u.Reasons, "fullword asks for the byte before and after: not packet by packet")
	}
	if x.t.At || x.t.Places {
		u.Fit, u.Reasons = FitLimited, append(u.Reasons, "it asks where patterns stand, and offsets in a stream depend on what came before")
	}
}

// mailLimit is what mail systems take at most, with room to spare.
const mailLimit = 150 << 20

func (x *explainer) mail() {
	switch {
	case x.t.MinSize > mailLimit:
		x.use("mail", besra.ContextMail, FitUnfit, "it asks for more bytes than mail carries")
	case len(x.e.Platforms) == 1 && x.e.Platforms[0] == "linux":
		x.use("mail", besra.ContextMail, FitLimited, "it matches "+x.e.Classes[0]+" only, which are rare in mail")
	default:
		x.use("mail", besra.ContextMail, FitGood, "bodies and attachments must be decoded first")
	}
}

func (x *explainer) layer() {
	if len(x.e.Platforms) > 0 && !slices.Contains(x.e.Platforms, "linux") {
		x.use("image layer", besra.ContextImage, FitLimited, "it matches "+strings.Join(x.e.Classes, ", ")+" only, which are rare in images of Linux")
		return
	}
	x.use("image layer", besra.ContextImage, FitGood)
}

// externals lowers the places where the external variables are not known.
func (x *explainer) externals() {
	if len(x.t.Externals) == 0 {
		return
	}
	for i := range x.e.Uses {
		u := &x.e.Uses[i]
		if u.Context != besra.ContextFile && u.Context != besra.ContextImage && u.Fit == FitGood {
			u.Fit, u.Reasons = FitLimited, append(u.Reasons, "it asks for "+strings.Join(x.t.Externals, ", ")+", which is not known there or only by hearsay")
		}
	}
}

func (x *explainer) cost() {
	total := 0.0
	for _, p := range x.e.Details {
		total += p.Cost
	}
	gated := x.t.Gated
	switch {
	case x.noAtom > 0 && !gated:
		x.e.Cost, x.e.CostWhy = "high", fmt.Sprintf("%d patterns are tried at every place", x.noAtom)
	case total > 2000 || x.t.Loops > 1:
		x.e.Cost, x.e.CostWhy = "high", fmt.Sprintf("about %.0f places a MiB are verified in vain, loops are %d deep", total, x.t.Loops)
	case total > 50 || !x.t.Anchored && !gated || x.noAtom > 0:
		x.e.Cost, x.e.CostWhy = "moderate", fmt.Sprintf("about %.0f places a MiB are verified in vain", total)
		if !x.t.Anchored {
			x.e.CostWhy += "; no pattern must occur, so the condition is evaluated on every target"
		}
	default:
		x.e.Cost, x.e.CostWhy = "low", fmt.Sprintf("about %.1f places a MiB are verified in vain", total)
	}
}

func (x *explainer) falsePositives() {
	x.e.Evidence = round(x.t.Evidence)
	switch {
	case x.t.Evidence < weakBits:
		x.e.FalsePositives = "prone"
	case x.t.Evidence < 36:
		x.e.FalsePositives = "possible"
	default:
		x.e.FalsePositives = "rare"
	}
}

// The modules that only one of the other engines has.
var (
	onlyYARAX = []string{"crx", "lnk", "vba", "olecf", "zip", "msi"}
	onlyYARA  = []string{"magic"}
)

func (x *explainer) engines() {
	x.e.Engines["YARA 4.5"], x.e.Engines["YARA-X"] = "", ""
	if m := x.modules(onlyYARAX); len(m) > 0 {
		x.e.Engines["YARA 4.5"] = "no module " + strings.Join(m, ", ")
	}
	if x.t.With {
		x.e.Engines["YARA 4.5"] = "no with"
	}
	if m := x.modules(onlyYARA); len(m) > 0 {
		x.e.Engines["YARA-X"] = "no module " + strings.Join(m, ", ")
	}
}

func round(f float64) float64 { return math.Round(f*10) / 10 }

// bytesText is a number of bytes for people.
func bytesText(n float64) string {
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return fmt.Sprintf("%.0f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.0f TiB", n)
}
