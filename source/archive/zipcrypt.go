package archive

import (
	"archive/zip"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// decrypt returns the packed bytes of an encrypted member and the method that
// packed them, by the first password that fits. The traditional check is a
// single byte, so that a wrong password passes now and then: the digest of what
// comes out decides among those that do.
func (w *walk) decrypt(f *zip.File, raw io.Reader) (io.Reader, uint16, error) {
	packed, err := io.ReadAll(io.LimitReader(raw, w.budget.Member))
	if err != nil {
		return nil, 0, err
	}
	if f.Flags&0x40 != 0 {
		return nil, 0, unsupportedError("strong encryption")
	}
	for _, password := range w.config.Passwords {
		if f.Method == aesMethod {
			if plain, method, ok := decryptAES(f, packed, password); ok {
				return bytes.NewReader(plain), method, nil
			}
			continue
		}
		if plain, ok := decryptTraditional(f, packed, password); ok && fits(f, plain) {
			return bytes.NewReader(plain), f.Method, nil
		}
	}
	return nil, 0, errEncrypted
}

// fits unpacks the member and compares its checksum.
func fits(f *zip.File, packed []byte) bool {
	var r io.Reader = bytes.NewReader(packed)
	if f.Method != zip.Store {
		unpack := zipMethods[f.Method]
		if unpack == nil {
			return true
		}
		var err error
		if r, err = unpack(r); err != nil {
			return false
		}
	}
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, io.LimitReader(r, int64(min(f.UncompressedSize64, 1<<40))))
	return err == nil && uint64(n) == f.UncompressedSize64 && sum.Sum32() == f.CRC32
}

// traditional is the stream cipher of APPNOTE.TXT, section 6.1.
type traditional [3]uint32

func newTraditional(password string) *traditional {
	k := &traditional{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		k.update(password[i])
	}
	return k
}

func (k *traditional) update(b byte) {
	k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
	k[1] = (k[1]+k[0]&0xff)*134775813 + 1
	k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
}

func (k *traditional) decrypt(b byte) byte {
	t := k[2] | 2
	b ^= byte(t * (t ^ 1) >> 8)
	k.update(b)
	return b
}

// traditionalHeader is how many random bytes come before the data.
const traditionalHeader = 12

func decryptTraditional(f *zip.File, packed []byte, password string) ([]byte, bool) {
	if len(packed) < traditionalHeader {
		return nil, false
	}
	k := newTraditional(password)
	plain := make([]byte, len(packed))
	for i, b := range packed {
		plain[i] = k.decrypt(b)
		if i == traditionalHeader-1 && !headerFits(f, plain[i]) {
			return nil, false
		}
	}
	return plain[traditionalHeader:], true
}

// headerFits compares the header's last byte with the checksum's, or with the
// time's where the checksum was not known when the member was written.
func headerFits(f *zip.File, b byte) bool {
	if f.Flags&8 != 0 {
		return b == byte(f.ModifiedTime>>8) || b == byte(f.CRC32>>24)
	}
	return b == byte(f.CRC32>>24)
}

const (
	aesMethod     = 99
	aesExtra      = 0x9901
	aesAuthLength = 10
	aesIterations = 1000
)

// decryptAES reads a member as WinZip's AE-1 and AE-2 write it: salt, a check
// of the password, the data in counter mode, an authentication code.
func decryptAES(f *zip.File, packed []byte, password string) (plain []byte, method uint16, ok bool) {
	extra := extraField(f.Extra, aesExtra)
	if len(extra) < 7 || extra[4] < 1 || extra[4] > 3 {
		return nil, 0, false
	}
	keyLen, saltLen := 8+8*int(extra[4]), 4+4*int(extra[4])
	if len(packed) < saltLen+2+aesAuthLength {
		return nil, 0, false
	}
	keys, err := pbkdf2.Key(sha1.New, password, packed[:saltLen], aesIterations, 2*keyLen+2)
	if err != nil || !bytes.Equal(keys[2*keyLen:], packed[saltLen:saltLen+2]) {
		return nil, 0, false
	}
	data, code := packed[saltLen+2:len(packed)-aesAuthLength], packed[len(packed)-aesAuthLength:]
	mac := hmac.New(sha1.New, keys[keyLen:2*keyLen])
	mac.Write(data)
	if !hmac.Equal(mac.Sum(nil)[:aesAuthLength], code) {
		return nil, 0, false
	}
	block, err := aes.NewCipher(keys[:keyLen])
	if err != nil {
		return nil, 0, false
	}
	return counterMode(block, data), binary.LittleEndian.Uint16(extra[5:]), true
}

// counterMode is CTR with the little-endian counter, from 1, that WinZip uses.
func counterMode(block cipher.Block, data []byte) []byte {
	var counter, stream [aes.BlockSize]byte
	plain := make([]byte, len(data))
	for i := range data {
		if i%aes.BlockSize == 0 {
			binary.LittleEndian.PutUint64(counter[:], uint64(i/aes.BlockSize+1))
			block.Encrypt(stream[:], counter[:])
		}
		plain[i] = data[i] ^ stream[i%aes.BlockSize]
	}
	return plain
}

// extraField returns the content of a field of a member's extra data.
func extraField(extra []byte, id uint16) []byte {
	for len(extra) >= 4 {
		size := int(binary.LittleEndian.Uint16(extra[2:]))
		if len(extra) < 4+size {
			return nil
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+size]
		}
		extra = extra[4+size:]
	}
	return nil
}
