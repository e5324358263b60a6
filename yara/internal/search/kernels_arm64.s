//go:build !purego

#include "textflag.h"

// What all kernels keep in registers:
//	R1   the data at the place, R2 the data where places end
//	R3   the data at from
//	R4   the candidates, R5 their number
// R18 and R27 to R30 belong to the system, the assembler and Go.

// PLACES leaves in R2 where places end: before to, and room bytes before the
// end of buf.
#define PLACES(room) \
	SUB $(room-1), R2            \
	CMP R6, R2                   \
	CSEL LT, R2, R6, R2          \
	ADD R1, R2, R2               \
	ADD R3, R1, R1               \
	MOVD R1, R3                  \
	MOVD $0, R5

// RESULT returns the number of candidates and where to go on.
#define RESULT(from, n, next) \
	MOVD from, R0                \
	SUB R3, R1                   \
	ADD R0, R1                   \
	MOVD R5, n                   \
	MOVD R1, next                \
	RET

// STORE writes a candidate, which stays only where the flags meet cond.
#define STORE(cond, candidate) \
	MOVW candidate, (R4)(R5<<2)  \
	CINC cond, R5, R5

// The arguments of a window kernel; R0 is the pair table.
#define WINDOW_ARGS(room) \
	MOVD t+0(FP), R0             \
	MOVD buf_base+8(FP), R1      \
	MOVD buf_len+16(FP), R2      \
	MOVD from+32(FP), R3         \
	MOVD to+40(FP), R6           \
	MOVD out+48(FP), R4          \
	PLACES(room)

// The arguments of a sample kernel:
//	R0   the words of the filter, R7 how far hashes are shifted to get one
//	R8   the mask of the bytes of a gram
#define SAMPLE_ARGS(room) \
	MOVD f+0(FP), R8             \
	MOVD (R8), R0                \
	MOVBU 24(R8), R7             \
	MOVD keep+8(FP), R8          \
	MOVD buf_base+16(FP), R1     \
	MOVD buf_len+24(FP), R2      \
	MOVD from+40(FP), R3         \
	MOVD to+48(FP), R6           \
	MOVD out+56(FP), R4          \
	PLACES(room)                 \
	HASH_CONSTANTS

// HASH_CONSTANTS are what MISSING needs: R19 is golden, R20 the masks of two bits.
#define HASH_CONSTANTS \
	MOVD $0x9E3779B97F4A7C15, R19 \
	MOVD $·twoBits(SB), R20

// MISSING makes of a gram the bits of it that a filter has not; it spoils t.
#define MISSING(words, shift, gram, t) \
	MUL R19, gram, gram          \
	LSR shift, gram, t           \
	UBFX $32, gram, $8, gram     \
	MOVD (words)(t<<3), t        \
	MOVD (R20)(gram<<3), gram    \
	BIC t, gram, gram

// MERGED is merged; it spoils t.
#define MERGED(word, t) \
	AND $0x4040404040404040, word, t \
	ORR t>>1, word, word

// The arguments of a pair kernel:
//	R7   the data at the distance of the place
//	V16, V17  the first byte and its mask; V18, V19 the second
//	V20  the bits of a byte
#define PAIR_ARGS \
	MOVD x+0(FP), R0             \
	MOVD 8(R0), R7               \
	VLD1R.P 1(R0), [V16.B16]     \
	VLD1R.P 1(R0), [V17.B16]     \
	VLD1R.P 1(R0), [V18.B16]     \
	VLD1R.P 1(R0), [V19.B16]     \
	VAND V17.B16, V16.B16, V16.B16 \
	VAND V19.B16, V18.B16, V18.B16 \
	MOVD $0x8040201008040201, R0 \
	VMOV R0, V20.D[0]            \
	VMOV R0, V20.D[1]            \
	MOVD buf_base+8(FP), R1      \
	MOVD from+32(FP), R3         \
	MOVD to+40(FP), R2           \
	MOVD out+48(FP), R4          \
	SUB $63, R2                  \
	ADD R1, R2, R2               \
	ADD R3, R1, R1               \
	MOVD R1, R3                  \
	ADD R1, R7, R7               \
	MOVD $0, R5

// BOTH sets the bytes of V0 to V3 where they are the first byte and those of
// V4 to V7 the second, and R0 where there is such a place.
#define BOTH \
	VCMEQ V16.B16, V0.B16, V0.B16 \
	VCMEQ V16.B16, V1.B16, V1.B16 \
	VCMEQ V16.B16, V2.B16, V2.B16 \
	VCMEQ V16.B16, V3.B16, V3.B16 \
	VCMEQ V18.B16, V4.B16, V4.B16 \
	VCMEQ V18.B16, V5.B16, V5.B16 \
	VCMEQ V18.B16, V6.B16, V6.B16 \
	VCMEQ V18.B16, V7.B16, V7.B16 \
	VAND V4.B16, V0.B16, V0.B16   \
	VAND V5.B16, V1.B16, V1.B16   \
	VAND V6.B16, V2.B16, V2.B16   \
	VAND V7.B16, V3.B16, V3.B16   \
	VORR V0.B16, V1.B16, V4.B16   \
	VORR V2.B16, V3.B16, V5.B16   \
	VORR V4.B16, V5.B16, V4.B16   \
	VADDP V4.B16, V4.B16, V4.B16  \
	VMOV V4.D[0], R0

// BITS makes R0 a bit for each byte that is set in V0 to V3, and R9 where the
// first of them, 64 before R1, is from R3.
#define BITS \
	VAND V20.B16, V0.B16, V0.B16  \
	VAND V20.B16, V1.B16, V1.B16  \
	VAND V20.B16, V2.B16, V2.B16  \
	VAND V20.B16, V3.B16, V3.B16  \
	VADDP V1.B16, V0.B16, V0.B16  \
	VADDP V3.B16, V2.B16, V2.B16  \
	VADDP V2.B16, V0.B16, V0.B16  \
	VADDP V0.B16, V0.B16, V0.B16  \
	VMOV V0.D[0], R0              \
	SUB R3, R1, R9                \
	SUB $64, R9

// LOWEST makes place the lowest bit in R0, and NEXT clears it and sets the flags.
#define LOWEST(place) \
	RBIT R0, place                \
	CLZ place, place

#define NEXT(t) \
	SUB $1, R0, t                 \
	ANDS t, R0

// EACH writes the places that BOTH set among the 64 before R1.
#define EACH(label) \
	BITS                          \
label: \
	LOWEST(R10)                   \
	ADD R9, R10                   \
	MOVW R10, (R4)(R5<<2)         \
	ADD $1, R5                    \
	NEXT(R10)                     \
	BNE label

// LOOKUP makes a, b and c the buckets that may have the bytes of x first, in
// the middle and last; it spoils x and V6.
#define LOOKUP(x, a, b, c) \
	VAND V22.B16, x.B16, V6.B16   \
	VUSHR $4, x.B16, x.B16        \
	VTBL V6.B16, [V24.B16], a.B16 \
	VTBL V6.B16, [V26.B16], b.B16 \
	VTBL V6.B16, [V28.B16], c.B16 \
	VTBL x.B16, [V25.B16], V6.B16 \
	VAND V6.B16, a.B16, a.B16     \
	VTBL x.B16, [V27.B16], V6.B16 \
	VAND V6.B16, b.B16, b.B16     \
	VTBL x.B16, [V29.B16], V6.B16 \
	VAND V6.B16, c.B16, c.B16

// TRIPLES makes c the buckets of the three bytes that end at each byte; a and b
// are as of LOOKUP, and p and q those of the sixteen bytes before. It spoils p.
#define TRIPLES(p, q, a, b, c) \
	VEXT $14, a.B16, p.B16, p.B16 \
	VAND p.B16, c.B16, c.B16      \
	VEXT $15, b.B16, q.B16, p.B16 \
	VAND p.B16, c.B16, c.B16

// func windowARM64(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// Four places at once. R9 has the buckets of the pair at the place, R10 those
// of the next; R1 and R2 are a pair further on, behind these two.
TEXT ·windowARM64(SB), NOSPLIT, $0-72
	WINDOW_ARGS(16)
	CMP R2, R1
	BHS done

	MOVHU (R1), R9
	MOVHU 2(R1), R10
	MOVWU (R0)(R9<<2), R9
	MOVWU (R0)(R10<<2), R10
	ADD   $4, R1
	ADD   $4, R2
	ADD   $4, R3

loop:
	MOVD.P 8(R1), R11
	UBFX   $0, R11, $16, R12
	UBFX   $16, R11, $16, R13
	UBFX   $32, R11, $16, R14
	LSR    $48, R11, R15
	MOVWU  (R0)(R12<<2), R12
	MOVWU  (R0)(R13<<2), R13
	AND    R10>>10, R9, R16
	MOVWU  (R0)(R14<<2), R9
	AND    R12>>10, R10, R17
	MOVWU  (R0)(R15<<2), R10
	AND    R12>>20, R16, R16
	AND    R13>>20, R17, R17
	AND    R13>>10, R12, R21
	AND    R9>>20, R21, R21
	AND    R9>>10, R13, R22
	AND    R10>>20, R22, R22
	ORR    R16, R17, R11
	ORR    R21, R22, R12
	ORR    R11, R12, R11
	CBNZ   R11, found

more:
	CMP R2, R1
	BLO loop

done:
	RESULT(from+32(FP), n+56(FP), next+64(FP))

found:
	SUB R3, R1, R11
	SUB $8, R11
	LSL $10, R11
	ORR R11, R16, R12
	CMP $0, R16
	STORE(NE, R12)
	ADD $(2<<10), R11
	ORR R11, R17, R12
	CMP $0, R17
	STORE(NE, R12)
	ADD $(2<<10), R11
	ORR R11, R21, R12
	CMP $0, R21
	STORE(NE, R12)
	ADD $(2<<10), R11
	ORR R11, R22, R12
	CMP $0, R22
	STORE(NE, R12)
	CMP $(512-4), R5
	BLE more
	B   done

// func thinARM64(w *sieve, buf []byte, list []uint32) int
TEXT ·thinARM64(SB), NOSPLIT, $0-64
	MOVD  w+0(FP), R0
	MOVD  buf_base+8(FP), R1
	MOVD  list_base+32(FP), R4
	MOVD  list_len+40(FP), R2
	MOVD  R4, R3
	ADD   R2<<2, R4, R2
	MOVD  $0, R5
	MOVD  0(R0), R6
	MOVBU 24(R0), R7
	MOVD  32(R0), R8
	MOVBU 56(R0), R9
	MOVWU 64(R0), R21
	MOVWU 68(R0), R22
	MOVWU 72(R0), R23
	HASH_CONSTANTS

loop:
	CMP     R2, R3
	BHS     done
	MOVWU.P 4(R3), R10
	LSR     $10, R10, R11
	MOVD    (R1)(R11), R11
	MERGED(R11, R12)
	AND  $0x0000FFFFFFFFFFFF, R11, R12
	UBFX $0, R11, $32, R13
	UBFX $8, R11, $32, R14
	MISSING(R6, R7, R12, R15)
	MISSING(R8, R9, R13, R16)
	MISSING(R8, R9, R14, R17)

	// R12 becomes zero only where a window without open bytes may be there.
	TST  R21, R10
	CSEL EQ, R10, R12, R12

	// Each line goes on where the one before has not said yes.
	AND  R22, R10, R15
	AND  R23, R10, R16
	CMP  $0, R13
	CCMP NE, R14, $0, $4 // EQ: one of the two grams is there
	CCMP EQ, R15, $0, $4 // NE: and it is asked for
	CCMP EQ, R12, $0, $4 // EQ: or a whole window is
	CCMP NE, R16, $0, $0 // NE: or a tiny literal may be
	STORE(NE, R10)
	B    loop

done:
	MOVD R5, ret+56(FP)
	RET

// FOUND2 writes the places of the two grams before R1 that have no bit missing
// in R9 and R10.
#define FOUND2 \
	SUB R3, R1, R11              \
	SUB $16, R11                 \
	CMP $0, R9                   \
	STORE(EQ, R11)               \
	ADD $8, R11                  \
	CMP $0, R10                  \
	STORE(EQ, R11)

// func sampleARM64(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleARM64(SB), NOSPLIT, $0-80
	SAMPLE_ARGS(16)
	B more

loop:
	LDP.P 16(R1), (R9, R10)
	MERGED(R9, R11)
	MERGED(R10, R12)
	AND R8, R9
	AND R8, R10
	MISSING(R0, R7, R9, R11)
	MISSING(R0, R7, R10, R12)
	CBZ R9, found
	CBZ R10, found

more:
	CMP R2, R1
	BLO loop

done:
	RESULT(from+40(FP), n+64(FP), next+72(FP))

found:
	FOUND2
	CMP $(512-2), R5
	BLE more
	B   done

// func sampleDiffARM64(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleDiffARM64(SB), NOSPLIT, $0-80
	SAMPLE_ARGS(16)
	B more

loop:
	LDP.P 16(R1), (R9, R10)
	EOR R9>>8, R9, R9
	EOR R10>>8, R10, R10
	AND R8, R9
	AND R8, R10
	MISSING(R0, R7, R9, R11)
	MISSING(R0, R7, R10, R12)
	CBZ R9, found
	CBZ R10, found

more:
	CMP R2, R1
	BLO loop

done:
	RESULT(from+40(FP), n+64(FP), next+72(FP))

found:
	FOUND2
	CMP $(512-2), R5
	BLE more
	B   done

// func pairNEON(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// 64 places at once, with masks only where a byte is a letter in any case.
TEXT ·pairNEON(SB), NOSPLIT, $0-72
	PAIR_ARGS
	VAND V17.B16, V19.B16, V4.B16
	VMOV V4.D[0], R8
	MVN  R8, R8
	B    more

loop:
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R7), [V4.B16, V5.B16, V6.B16, V7.B16]
	CBNZ   R8, mask

compare:
	BOTH
	CBNZ R0, found

more:
	CMP R2, R1
	BLO loop

done:
	RESULT(from+32(FP), n+56(FP), next+64(FP))

mask:
	VAND V17.B16, V0.B16, V0.B16
	VAND V17.B16, V1.B16, V1.B16
	VAND V17.B16, V2.B16, V2.B16
	VAND V17.B16, V3.B16, V3.B16
	VAND V19.B16, V4.B16, V4.B16
	VAND V19.B16, V5.B16, V5.B16
	VAND V19.B16, V6.B16, V6.B16
	VAND V19.B16, V7.B16, V7.B16
	B    compare

found:
	EACH(place)
	CMP $(512-64), R5
	BLE more
	B   done

// func pairDiffNEON(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// 64 places at once. R8 and R11 are the data behind R1 and R7.
TEXT ·pairDiffNEON(SB), NOSPLIT, $0-72
	PAIR_ARGS
	ADD $1, R1, R8
	ADD $1, R7, R11
	B   more

loop:
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R8), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1.P 64(R7), [V4.B16, V5.B16, V6.B16, V7.B16]
	VLD1.P 64(R11), [V28.B16, V29.B16, V30.B16, V31.B16]
	VEOR   V24.B16, V0.B16, V0.B16
	VEOR   V25.B16, V1.B16, V1.B16
	VEOR   V26.B16, V2.B16, V2.B16
	VEOR   V27.B16, V3.B16, V3.B16
	VEOR   V28.B16, V4.B16, V4.B16
	VEOR   V29.B16, V5.B16, V5.B16
	VEOR   V30.B16, V6.B16, V6.B16
	VEOR   V31.B16, V7.B16, V7.B16
	BOTH
	CBNZ   R0, found

more:
	CMP R2, R1
	BLO loop

done:
	RESULT(from+32(FP), n+56(FP), next+64(FP))

found:
	EACH(place)
	CMP $(512-64), R5
	BLE more
	B   done

// func tripleNEON(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// 64 bytes at once, and the places of which one is the last of three: two
// before it. V16 and V17, V18 and V19 are in turn what LOOKUP made of the bytes
// before and of these. Before from there is nothing, so nothing is found there.
TEXT ·tripleNEON(SB), NOSPLIT, $64-72
	MOVD   m+0(FP), R0
	VLD1.P 64(R0), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1   (R0), [V28.B16, V29.B16]
	VMOVI  $0x0F, V22.B16
	MOVD   $0x8040201008040201, R0
	VMOV   R0, V20.D[0]
	VMOV   R0, V20.D[1]
	VEOR   V16.B16, V16.B16, V16.B16
	VEOR   V17.B16, V17.B16, V17.B16
	MOVD   buf_base+8(FP), R1
	MOVD   from+32(FP), R3
	MOVD   to+40(FP), R2
	MOVD   out+48(FP), R4
	SUB    $61, R2
	ADD    R1, R2, R2
	ADD    R3, R1, R1
	MOVD   R1, R3
	MOVD   $0, R5
	MOVD   $buckets-64(SP), R7
	B      more

loop:
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	LOOKUP(V0, V18, V19, V4)
	TRIPLES(V16, V17, V18, V19, V4)
	LOOKUP(V1, V16, V17, V5)
	TRIPLES(V18, V19, V16, V17, V5)
	LOOKUP(V2, V18, V19, V0)
	TRIPLES(V16, V17, V18, V19, V0)
	LOOKUP(V3, V16, V17, V1)
	TRIPLES(V18, V19, V16, V17, V1)
	VORR   V4.B16, V5.B16, V6.B16
	VORR   V0.B16, V1.B16, V7.B16
	VORR   V6.B16, V7.B16, V6.B16
	VMOV   V6.D[0], R0
	VMOV   V6.D[1], R8
	ORR    R8, R0
	CBNZ   R0, found

more:
	CMP R2, R1
	BLO loop

done:
	SUB  $2, R1
	CMP  R3, R1
	CSEL LO, R3, R1, R1
	RESULT(from+32(FP), n+56(FP), next+64(FP))

found:
	VMOV   V0.B16, V2.B16
	VMOV   V1.B16, V3.B16
	VMOV   V4.B16, V0.B16
	VMOV   V5.B16, V1.B16
	VST1   [V0.B16, V1.B16, V2.B16, V3.B16], (R7)
	VCMTST V0.B16, V0.B16, V0.B16
	VCMTST V1.B16, V1.B16, V1.B16
	VCMTST V2.B16, V2.B16, V2.B16
	VCMTST V3.B16, V3.B16, V3.B16
	BITS
	SUB    $2, R9

place:
	LOWEST(R10)
	MOVBU (R7)(R10), R11
	ADD   R9, R10
	ORR   R10<<8, R11, R11
	MOVW  R11, (R4)(R5<<2)
	ADD   $1, R5
	NEXT(R10)
	BNE   place
	CMP   $(512-64), R5
	BLE   more
	B     done
