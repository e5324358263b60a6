package pe

import (
	"io"

	"github.com/besra-hunt/besra/yara/internal/binfmt"
	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

// SignatureType is the type of the signatures that [Signatures] reads.
func SignatureType() *module.Type { return signatureType }

// Signatures reads an Authenticode signature of a file of another format, such
// as an MSI package, and those nested in it: structs of [SignatureType]. write
// writes what of the file is signed; it is called once for each algorithm of
// digests.
func Signatures(pkcs7 []byte, libyara bool, write func(io.Writer)) module.Items {
	a := authenticode{file: &file{PE: &binfmt.PE{}, libyara: libyara}, verifications: maxVerifications, write: write}
	found, _ := a.contentInfo(pkcs7, 0)
	list := make(module.Items, len(found))
	for i, s := range found {
		list[i] = column.Struct(signatureColumns, s)
	}
	return list
}
