// Package hash is the YARA module "hash": digests and checksums of a range of
// the target or of a string.
//
// A range that the target does not have whole gives undefined; under the
// LibYARA dialect it is cut at the target's end. Digests are lower-case hex.
package hash

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"

	"github.com/besra-hunt/besra/yara/module"
)

// digest computes the value of one function.
type digest func(data []byte) module.Value

// Module returns the module. It is immutable and may be shared.
func Module() *module.Module {
	return &module.Module{
		Name: "hash",
		Doc:  "Digests and checksums of a range of the target or of a string.",
		Schema: &module.Type{Kind: module.Struct, Name: "hash", Fields: []*module.Field{
			function("md5", "MD5, lower-case hex.", module.String, md5Of),
			function("sha1", "SHA-1, lower-case hex.", module.String, sha1Of),
			function("sha256", "SHA-256, lower-case hex.", module.String, sha256Of),
			function("crc32", "CRC-32 (IEEE).", module.Integer, crc32Of),
			function("checksum32", "Sum of the bytes modulo 2^32.", module.Integer, checksum32Of),
		}},
	}
}

func function(name, doc string, result module.Kind, d digest) *module.Field {
	t := &module.Type{Kind: result}
	return &module.Field{Name: name, Doc: doc, Funcs: []*module.Func{
		{Params: []module.Kind{module.Integer, module.Integer}, Result: t, Call: ofRange(name, d)},
		{Params: []module.Kind{module.String}, Result: t, Call: ofText(d)},
	}}
}

func ofText(d digest) func(*module.Call, []module.Value) module.Value {
	return func(_ *module.Call, args []module.Value) module.Value {
		s, _ := args[0].Text()
		return d([]byte(s))
	}
}

// A list of known digests is a rule with hundreds of calls for the same range:
// values of ranges are kept for the scan, up to this many.
const kept = 1024

type keptKey struct{}

type rangeKey struct {
	name       string
	start, end int64
}

func ofRange(name string, d digest) func(*module.Call, []module.Value) module.Value {
	return func(c *module.Call, args []module.Value) module.Value {
		start, end, ok := cut(c.Input, args)
		if !ok {
			return module.Value{}
		}
		values := c.Input.Memo(keptKey{}, func() any { return map[rangeKey]module.Value{} }).(map[rangeKey]module.Value)
		key := rangeKey{name, start, end}
		v, ok := values[key]
		if !ok {
			v = d(c.Input.Data[start:end])
			if len(values) < kept {
				values[key] = v
			}
		}
		return v
	}
}

// cut returns the bytes that an offset and a length name.
func cut(in *module.Input, args []module.Value) (start, end int64, ok bool) {
	offset, _ := args[0].Int()
	length, _ := args[1].Int()
	size := int64(len(in.Data))
	if in.LibYARA {
		length = min(length, size-offset)
	}
	if offset < 0 || length < 0 || offset > size || length > size-offset || in.LibYARA && offset == size {
		return 0, 0, false
	}
	return offset, offset + length, true
}

func md5Of(data []byte) module.Value {
	sum := md5.Sum(data)
	return module.Text(hex.EncodeToString(sum[:]))
}

func sha1Of(data []byte) module.Value {
	sum := sha1.Sum(data)
	return module.Text(hex.EncodeToString(sum[:]))
}

func sha256Of(data []byte) module.Value {
	sum := sha256.Sum256(data)
	return module.Text(hex.EncodeToString(sum[:]))
}

func crc32Of(data []byte) module.Value {
	return module.Int(int64(crc32.ChecksumIEEE(data)))
}

func checksum32Of(data []byte) module.Value {
	var sum uint32
	for _, c := range data {
		sum += uint32(c)
	}
	return module.Int(int64(sum))
}
