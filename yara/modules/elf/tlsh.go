package elf

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
)

// TLSH as in Oliver, Cheng, Chen, "TLSH: a locality sensitive hash" (2013),
// with 128 buckets, a checksum of one byte and the prefix of version 4.
//
// The quartiles are those of the reference and of libyara. YARA-X 1.20 takes
// zero for one of them where its search for it happens to end early, and so
// has another digest for a few files.
const (
	tlshBuckets = 128
	tlshWindow  = 5
	tlshLeast   = 50 // bytes of input
)

// pearson is the permutation that TLSH takes for Pearson's hash.
var pearson = [256]byte{
	1, 87, 49, 12, 176, 178, 102, 166, 121, 193, 6, 84, 249, 230, 44, 163, 14, 197, 213, 181, 161, 85, 218, 80, 64, 239, 24, 226, 236, 142, 38, 200,
	110, 177, 104, 103, 141, 253, 255, 50, 77, 101, 81, 18, 45, 96, 31, 222, 25, 107, 190, 70, 86, 237, 240, 34, 72, 242, 20, 214, 244, 227, 149, 235,
	97, 234, 57, 22, 60, 250, 82, 175, 208, 5, 127, 199, 111, 62, 135, 248, 174, 169, 211, 58, 66, 154, 106, 195, 245, 171, 17, 187, 182, 179, 0, 243,
	132, 56, 148, 75, 128, 133, 158, 100, 130, 126, 91, 13, 153, 246, 216, 219, 119, 68, 223, 78, 83, 88, 201, 99, 122, 11, 92, 32, 136, 114, 52, 10,
	138, 30, 48, 183, 156, 35, 61, 26, 143, 74, 251, 94, 129, 162, 63, 152, 170, 7, 115, 167, 241, 206, 3, 150, 55, 59, 151, 220, 90, 53, 23, 131,
	125, 173, 15, 238, 79, 95, 89, 16, 105, 137, 225, 224, 217, 160, 37, 123, 118, 73, 2, 157, 46, 116, 9, 145, 134, 228, 207, 212, 202, 215, 69, 229,
	27, 188, 67, 124, 168, 252, 42, 4, 29, 108, 21, 247, 19, 205, 39, 203, 233, 40, 186, 147, 198, 192, 155, 33, 164, 191, 98, 204, 165, 180, 117, 76,
	140, 36, 210, 172, 41, 54, 159, 8, 185, 232, 113, 196, 231, 47, 146, 120, 51, 65, 28, 144, 254, 221, 93, 189, 194, 139, 112, 43, 71, 109, 184, 209,
}

func pearsonHash(bytes ...byte) byte {
	h := byte(0)
	for _, b := range bytes {
		h = pearson[h^b]
	}
	return h
}

// tlsh returns the digest of data in upper-case hex; ok is false where the
// data is too short or too uniform to have one.
func tlsh(data []byte) (digest string, ok bool) {
	buckets, checksum, ok := tlshCount(data)
	if !ok {
		return "", false
	}
	sorted := slices.Clone(buckets[:])
	slices.Sort(sorted)
	q1, q2, q3 := sorted[tlshBuckets/4-1], sorted[tlshBuckets/2-1], sorted[tlshBuckets*3/4-1]
	if q3 == 0 {
		return "", false
	}
	ratio := func(q uint32) byte { return byte(uint64(float64(q)*100/float64(q3)) % 16) }
	body := []byte{swap(checksum), swap(tlshLength(len(data))), ratio(q1)<<4 | ratio(q2)}
	for i := tlshBuckets - 4; i >= 0; i -= 4 {
		body = append(body, tlshCode(buckets[i:i+4], q1, q2, q3))
	}
	return "T1" + strings.ToUpper(hex.EncodeToString(body)), true
}

// tlshCount counts the hashes of the triplets in each window.
func tlshCount(data []byte) (buckets [tlshBuckets]uint32, checksum byte, ok bool) {
	if len(data) < tlshLeast {
		return buckets, 0, false
	}
	var all [256]uint32 // the upper half is not used
	for i := tlshWindow - 1; i < len(data); i++ {
		a, b, c, d, e := data[i], data[i-1], data[i-2], data[i-3], data[i-4]
		checksum = pearsonHash(0, a, b, checksum)
		all[pearsonHash(2, a, b, c)]++
		all[pearsonHash(3, a, b, d)]++
		all[pearsonHash(5, a, c, d)]++
		all[pearsonHash(7, a, c, e)]++
		all[pearsonHash(11, a, b, e)]++
		all[pearsonHash(13, a, d, e)]++
	}
	copy(buckets[:], all[:])
	return buckets, checksum, true
}

// tlshCode is the quartile of each of four buckets, two bits each.
func tlshCode(buckets []uint32, q1, q2, q3 uint32) (code byte) {
	for i, n := range buckets {
		quartile := byte(0)
		for _, q := range [...]uint32{q1, q2, q3} {
			if n > q {
				quartile++
			}
		}
		code |= quartile << (2 * i)
	}
	return code
}

// tlshLength is a logarithm of the length, of a base that falls as lengths
// grow. The reference computes it in single precision, and so must we where a
// length is near a step.
func tlshLength(n int) byte {
	l := float64(float32(math.Log(float64(float32(n)))))
	switch {
	case n <= 656:
		return byte(l / 0.4054651) // ln 1.5
	case n <= 3199:
		return byte(l/0.26236426 - 8.72777) // ln 1.3
	}
	return byte(l/0.095310180 - 62.5472) // ln 1.1
}

// swap exchanges the halves of a byte.
func swap(b byte) byte { return b<<4 | b>>4 }
