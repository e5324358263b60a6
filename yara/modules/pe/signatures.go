package pe

import (
	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// Limits of signatures.
const (
	maxSignatures        = 64 // of a file, nested ones too
	maxSignatureNesting  = 8
	maxCounterSignatures = 32 // of a signature
)

// signature is an Authenticode signature.
type signature struct {
	digest, digestAlg string // of the file, as the signature says
	fileDigest        string // of the file, as it is
	verified          bool
	certificates      []*certificate
	signer            signerValue
	counters          []*counterSignature
	list              lazy[module.Value]
}

// signerValue is who signed.
type signerValue struct {
	programName, moreInfo maybe[string]
	digest, digestAlg     string
	chain                 []*certificate
}

// counterSignature tells when a signature was made.
type counterSignature struct {
	verified          bool
	time              maybe[int64]
	digest, digestAlg string
	chain             []*certificate
	signer            *signerInfo
}

var signatureColumns = append(signerFields(),
	column.Bool("verified", "Whether the file is as it was signed, by the signer whose certificate is in the file, and the certificates down from the last one in the file sign each other. It is not asked whether that one is trusted, nor whether any was revoked or had expired.",
		func(s *signature) bool { return s.verified }),
	column.Text("digest_alg", "What the digest of the file was made with, such as sha1.", func(s *signature) string { return s.digestAlg }),
	column.Text("digest", "The digest of the file when it was signed, lower-case hex.", func(s *signature) string { return s.digest }),
	column.Text("file_digest", "The digest of the file as it is, lower-case hex.", func(s *signature) string { return s.fileDigest }),
	column.Int("number_of_certificates", "The number of certificates.", func(s *signature) int { return len(s.certificates) }),
	column.Int("number_of_countersignatures", "The number of countersignatures.", func(s *signature) int { return len(s.counters) }),
	column.Column[*signature]{Name: "signer_info", Doc: "Who signed.", Type: signerType,
		Get: func(s *signature) module.Value { return column.Struct(signerColumns, &s.signer) }},
	column.Column[*signature]{Name: "certificates", Doc: "All certificates, those of countersignatures too.", Type: column.ArrayOf(certificateType),
		Get: func(s *signature) module.Value {
			return s.list.get(func() module.Value { return column.List(certificateColumns, s.certificates) })
		}},
	column.Column[*signature]{Name: "countersignatures", Doc: "The countersignatures.", Type: column.ArrayOf(counterType),
		Get: func(s *signature) module.Value { return column.List(counterColumns, s.counters) }},
	column.Column[*signature]{Name: "valid_on", Doc: "Whether a time, in seconds since 1970, is within the validity of the signer's certificate.", Funcs: []*module.Func{
		{Params: []module.Kind{module.Integer}, Result: column.Scalar(module.Bool), Call: validOn},
	}},
)

var signatureType = column.Type("Signature", signatureColumns)

// signerFields are the fields of the signer's certificate, undefined where the
// file does not have it.
func signerFields() []column.Column[*signature] {
	var columns []column.Column[*signature]
	for _, c := range certificateColumns {
		columns = append(columns, column.Column[*signature]{Name: c.Name, Doc: c.Doc, Type: c.Type, Get: func(s *signature) module.Value {
			if len(s.signer.chain) == 0 {
				return module.Value{}
			}
			return c.Get(s.signer.chain[0])
		}})
	}
	return columns
}

func validOn(c *module.Call, args []module.Value) module.Value {
	at := integers(args)[0]
	before, ok1 := c.Self.Field(notBeforeField).Int()
	after, ok2 := c.Self.Field(notAfterField).Int()
	if !ok1 || !ok2 {
		return module.Value{}
	}
	return module.Boolean(before <= at && at <= after)
}

var signerColumns = []column.Column[*signerValue]{
	column.OptText("program_name", "What the signer calls the program.", func(s *signerValue) (string, bool) { return s.programName.get() }),
	column.OptText("more_info", "Where the signer tells more, a URL.", func(s *signerValue) (string, bool) { return s.moreInfo.get() }),
	column.Text("digest", "The digest of what was signed, lower-case hex.", func(s *signerValue) string { return s.digest }),
	column.Text("digest_alg", "What the digest was made with.", func(s *signerValue) string { return s.digestAlg }),
	column.Int("length_of_chain", "The number of certificates in chain.", func(s *signerValue) int { return len(s.chain) }),
	{Name: "chain", Doc: "The certificate of the signer, that of its issuer, and so on.", Type: column.ArrayOf(certificateType),
		Get: func(s *signerValue) module.Value { return column.List(certificateColumns, s.chain) }},
}

var signerType = column.Type("SignerInfo", signerColumns)

var counterColumns = []column.Column[*counterSignature]{
	column.Bool("verified", "Whether it is of this signature, and itself sound.", func(c *counterSignature) bool { return c.verified }),
	column.OptInt("sign_time", "When it was made, in seconds since 1970.", func(c *counterSignature) (int64, bool) { return c.time.get() }),
	column.Text("digest", "The digest of the signature, lower-case hex.", func(c *counterSignature) string { return c.digest }),
	column.Text("digest_alg", "What the digest was made with.", func(c *counterSignature) string { return c.digestAlg }),
	column.Int("length_of_chain", "The number of certificates in chain.", func(c *counterSignature) int { return len(c.chain) }),
	{Name: "chain", Doc: "The certificate of the signer, that of its issuer, and so on.", Type: column.ArrayOf(certificateType),
		Get: func(c *counterSignature) module.Value { return column.List(certificateColumns, c.chain) }},
}

var counterType = column.Type("CounterSignature", counterColumns)

func isSigned(f *file) module.Value {
	for _, s := range f.allSignatures() {
		if s.verified {
			return module.Boolean(true)
		}
	}
	return module.Boolean(false)
}

// allSignatures are those of all entries of the certificate table, each with
// the ones nested in it. The first entry that cannot be read ends the table.
func (f *file) allSignatures() []*signature {
	return f.signatures.get(func() []*signature {
		_, table, _ := f.directory(directorySecurity, true)
		a := authenticode{file: f, verifications: maxVerifications}
		for {
			rest, ok := a.entry(table)
			if !ok || f.libyara {
				return a.signatures
			}
			table = rest
		}
	})
}

// entry reads a WIN_CERTIFICATE and returns what follows it, from the next
// multiple of 8 bytes on.
func (a *authenticode) entry(table []byte) (rest []byte, ok bool) {
	const header = 8 // length, revision, type
	length := uint64(binfmt.NewReader(table, binfmt.Little).U32())
	content, ok := binfmt.Range(table, header, length-header)
	if length < header || !ok {
		return nil, false
	}
	rest, ok = binfmt.From(table, (length+7)&^7)
	if !ok && !a.libyara {
		return nil, false
	}
	found, ok := a.contentInfo(content, 0)
	a.signatures = append(a.signatures, found...)
	return rest, ok
}
