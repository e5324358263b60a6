//go:build !purego

#include "textflag.h"

// PREFETCH is how far ahead of a place data is fetched: blockSize.
#define PREFETCH 16384

// The arguments of a window kernel, and what all of them do with them:
//	DI  the pair table
//	SI  the data
//	R9  the place, R10 where places end: before to, and room bytes before the end
//	DX  the candidates, AX their number
#define WINDOW_ARGS(room) \
	MOVQ t+0(FP), DI             \
	MOVQ buf_base+8(FP), SI      \
	MOVQ buf_len+16(FP), R8      \
	MOVQ from+32(FP), R9         \
	MOVQ to+40(FP), R10          \
	MOVQ out+48(FP), DX          \
	SUBQ $(room-1), R8           \
	CMPQ R10, R8                 \
	CMOVQGT R8, R10              \
	XORQ AX, AX

// The arguments of a sample kernel:
//	DI  the words of the filter, X23 how far hashes are shifted to get one
//	SI  the data
//	R9  the place, R10 where places end
//	R11 the place relative to from
//	DX  the candidates, AX their number
//	Z22 the mask of the bytes of a gram
#define SAMPLE_ARGS(room) \
	MOVQ f+0(FP), BX             \
	MOVQ (BX), DI                \
	MOVBQZX 24(BX), CX           \
	MOVQ buf_base+16(FP), SI     \
	MOVQ buf_len+24(FP), R8      \
	MOVQ from+40(FP), R9         \
	MOVQ to+48(FP), R10          \
	MOVQ out+56(FP), DX          \
	SUBQ $(room-1), R8           \
	CMPQ R10, R8                 \
	CMOVQGT R8, R10              \
	XORQ AX, AX

#define SAMPLE_CONSTANTS512 \
	VMOVQ CX, X23                \
	VPBROADCASTQ keep+8(FP), Z22 \
	MOVQ $0x9E3779B97F4A7C15, CX \
	VPBROADCASTQ CX, Z20         \
	MOVQ $0x4040404040404040, CX \
	VPBROADCASTQ CX, Z21         \
	MOVQ $1, CX                  \
	VPBROADCASTQ CX, Z24         \
	VMOVDQU64 ·secondBits<>(SB), Z25 \
	VMOVDQU32 ·eights<>(SB), Z10 \
	MOVL $128, CX                \
	VPBROADCASTD CX, Z11

// LOOKUP512 sets the mask pass where the filter at words, with its shift, has
// both bits of the grams in g; it spoils t, u and v.
#define LOOKUP512(words, shift, g, t, u, v, pass) \
	VPMULLQ Z20, g, g            \
	VPSRLQ shift, g, t           \
	KXNORB K1, K1, K1            \
	VPXORQ u, u, u               \
	VPGATHERQQ (words)(t*8), K1, u \
	VPSRLQ $38, g, t             \
	VPSRLQ $32, g, v             \
	VPERMQ Z25, t, t             \
	VPADDQ v, t, t               \
	VPRORVQ v, u, v              \
	VPRORVQ t, u, t              \
	VPTERNLOGQ $0x80, Z24, v, t  \
	VPTESTMQ t, t, pass

// STORE512 puts the places of sixteen grams that passed into the candidates.
#define STORE512 \
	KUNPCKBW K2, K3, K4          \
	VPCOMPRESSD.Z Z10, K4, Z6    \
	VMOVDQU32 Z6, (DX)(AX*4)     \
	KMOVW K4, CX                 \
	POPCNTL CX, CX               \
	ADDQ CX, AX                  \
	VPADDD Z11, Z10, Z10         \
	ADDQ $128, R9

// The arguments of a pair kernel:
//	SI  the data
//	BX  the data at the distance
//	R9  the place, R10 where places end, R11 the place relative to from
//	DX  the candidates, AX their number
//	Z20, Z21  the first byte and its mask; Z22, Z23 the second
#define PAIR_ARGS512 \
	MOVQ x+0(FP), CX             \
	VPBROADCASTB 0(CX), Z20      \
	VPBROADCASTB 1(CX), Z21      \
	VPBROADCASTB 2(CX), Z22      \
	VPBROADCASTB 3(CX), Z23      \
	MOVQ 8(CX), BX               \
	MOVQ buf_base+8(FP), SI      \
	MOVQ from+32(FP), R9         \
	MOVQ to+40(FP), R10          \
	MOVQ out+48(FP), DX          \
	ADDQ SI, BX                  \
	XORQ R11, R11                \
	XORQ AX, AX

// DIFFER512 makes the bytes of a zero where the pair is at offset o of the place.
#define DIFFER512(o, a, b) \
	VMOVDQU64 o(SI)(R9*1), a         \
	VMOVDQU64 o(BX)(R9*1), b         \
	VPTERNLOGQ $0x28, Z21, Z20, a    \
	VPTERNLOGQ $0x28, Z23, Z22, b    \
	VPORQ a, b, a

// DIFFDIFFER512 does so for the differences of neighbouring bytes.
#define DIFFDIFFER512(o, a, b) \
	VMOVDQU64 o(SI)(R9*1), a                 \
	VMOVDQU64 o(BX)(R9*1), b                 \
	VPTERNLOGQ $0x96, (o+1)(SI)(R9*1), Z20, a \
	VPTERNLOGQ $0x96, (o+1)(BX)(R9*1), Z22, b \
	VPORQ a, b, a

// The arguments of a triple kernel:
//	SI  the data
//	R9  the place, R10 where groups of 64 places end
//	R11 the place relative to from
//	DX  the candidates, AX their number
//	Z16..Z21  the buckets by low and high halves of three bytes
//	Z22 the mask of a half
#define TRIPLE_ARGS512 \
	MOVQ m+0(FP), CX             \
	VBROADCASTI32X4 0(CX), Z16   \
	VBROADCASTI32X4 16(CX), Z17  \
	VBROADCASTI32X4 32(CX), Z18  \
	VBROADCASTI32X4 48(CX), Z19  \
	VBROADCASTI32X4 64(CX), Z20  \
	VBROADCASTI32X4 80(CX), Z21  \
	MOVL $0x0F0F0F0F, CX         \
	VPBROADCASTD CX, Z22         \
	MOVQ buf_base+8(FP), SI      \
	MOVQ from+32(FP), R9         \
	MOVQ to+40(FP), R10          \
	MOVQ out+48(FP), DX          \
	SUBQ $64, R10                \
	XORQ R11, R11                \
	XORQ AX, AX

// HALVES512 looks up the buckets of the bytes in x: those of their low halves
// come to a, those of their high halves to x.
#define HALVES512(x, a, low, high) \
	VPANDQ  Z22, x, a            \
	VPSRLW  $4, x, x             \
	VPANDQ  Z22, x, x            \
	VPSHUFB a, low, a            \
	VPSHUFB x, high, x

// BUCKETS512 makes Z0 the buckets of the three bytes in Z0, Z1 and Z2, and K1
// the mask of places that have some.
#define BUCKETS512 \
	HALVES512(Z0, Z3, Z16, Z17)  \
	HALVES512(Z1, Z4, Z18, Z19)  \
	HALVES512(Z2, Z5, Z20, Z21)  \
	VPTERNLOGQ $0x80, Z3, Z4, Z0 \
	VPTERNLOGQ $0x80, Z1, Z2, Z0 \
	VPANDQ  Z5, Z0, Z0           \
	VPTESTMB Z0, Z0, K1

// PUT writes the places that have a bit in CX into the candidates, with their
// buckets, which are on the stack.
#define PUT(bit, next) \
bit:                         \
	TZCNTQ  CX, R12              \
	MOVBLZX (SP)(R12*1), R13     \
	ADDQ    R11, R12             \
	SHLQ    $8, R12              \
	ORQ     R13, R12             \
	MOVL    R12, (DX)(AX*4)      \
	INCQ    AX                   \
	BLSRQ   CX, CX               \
	JNZ     bit                  \
next:

// func windowAVX512(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// Sixteen places at once: Z1 has the buckets of the pairs at them, Z3 those of
// the next sixteen pairs. This filter computes more than it reads, so it has the
// next block come nearer meanwhile.
TEXT ·windowAVX512(SB), NOSPLIT, $0-72
	WINDOW_ARGS(64)
	CMPQ R9, R10
	JGE  done

	VMOVDQU32 ·evens<>(SB), Z10
	MOVL      $(32<<10), CX
	VPBROADCASTD CX, Z11

	VPMOVZXWD (SI)(R9*1), Z0
	KXNORW    K1, K1, K1
	VPXORD    Z1, Z1, Z1
	VPGATHERDD (DI)(Z0*4), K1, Z1

loop:
	PREFETCHT1 PREFETCH(SI)(R9*1)
	VPMOVZXWD 32(SI)(R9*1), Z2
	KXNORW    K1, K1, K1
	VPXORD    Z3, Z3, Z3
	VPGATHERDD (DI)(Z2*4), K1, Z3
	VALIGND   $1, Z1, Z3, Z4
	VALIGND   $2, Z1, Z3, Z5
	VPSRLD    $10, Z4, Z4
	VPSRLD    $20, Z5, Z5
	VPTERNLOGD $0x80, Z4, Z5, Z1
	VPTESTMD  Z1, Z1, K2
	VPORD     Z10, Z1, Z1
	VPCOMPRESSD.Z Z1, K2, Z6
	VMOVDQU32 Z6, (DX)(AX*4)
	KMOVW     K2, CX
	POPCNTL   CX, CX
	ADDQ      CX, AX
	VPADDD    Z11, Z10, Z10
	VMOVDQA32 Z3, Z1
	ADDQ      $32, R9
	CMPQ      R9, R10
	JGE       done
	CMPQ      AX, $(512-16)
	JLE       loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func thinAVX512(w *sieve, buf []byte, list []uint32) int
//
// Eight candidates at a time. What is left of them is stored before those that
// are not yet loaded.
TEXT ·thinAVX512(SB), NOSPLIT, $0-64
	MOVQ    w+0(FP), BX
	MOVQ    buf_base+8(FP), SI
	MOVQ    list_base+32(FP), DX
	MOVQ    list_len+40(FP), R10
	XORQ    AX, AX
	XORQ    R9, R9
	MOVQ    0(BX), DI
	MOVBQZX 24(BX), CX
	VMOVQ   CX, X23
	MOVQ    32(BX), R13
	MOVBQZX 56(BX), CX
	VMOVQ   CX, X26
	VPBROADCASTD 64(BX), Y27
	VPBROADCASTD 68(BX), Y28
	VPBROADCASTD 72(BX), Y29
	MOVQ    $0x9E3779B97F4A7C15, CX
	VPBROADCASTQ CX, Z20
	MOVQ    $0x4040404040404040, CX
	VPBROADCASTQ CX, Z21
	MOVQ    $0x0000FFFFFFFFFFFF, CX
	VPBROADCASTQ CX, Z22
	MOVQ    $1, CX
	VPBROADCASTQ CX, Z24
	VMOVDQU64 ·secondBits<>(SB), Z25
	MOVL    $0xFFFFFFFF, CX
	VPBROADCASTQ CX, Z30

loop:
	MOVQ  R10, CX
	SUBQ  R9, CX
	JLE   done
	MOVL  $0xFF, R8
	CMPQ  CX, $8
	JGE   whole
	BZHIL CX, R8, R8

whole:
	KMOVB R8, K7
	VMOVDQU32.Z (DX)(R9*4), K7, Y0
	VPSRLD $10, Y0, Y1
	KMOVB R8, K1
	VPXORQ Z2, Z2, Z2
	VPGATHERDQ (SI)(Y1*1), K1, Z2
	VPANDQ Z21, Z2, Z3
	VPSRLQ $1, Z3, Z3
	VPORQ  Z3, Z2, Z2
	VPANDQ Z22, Z2, Z4
	VPANDQ Z30, Z2, Z5
	VPSRLQ $8, Z2, Z6
	VPANDQ Z30, Z6, Z6
	LOOKUP512(DI, X23, Z4, Z7, Z8, Z9, K2)
	LOOKUP512(R13, X26, Z5, Z10, Z11, Z12, K3)
	LOOKUP512(R13, X26, Z6, Z13, Z14, Z15, K4)
	KORB   K3, K4, K3
	VPTESTMD Y27, Y0, K2, K2
	VPTESTMD Y28, Y0, K3, K3
	VPTESTMD Y29, Y0, K7, K4
	KORB   K2, K3, K2
	KORB   K2, K4, K2
	KANDB  K2, K7, K2
	VPCOMPRESSD.Z Y0, K2, Y0
	VMOVDQU32 Y0, K7, (DX)(AX*4)
	KMOVB  K2, CX
	POPCNTL CX, CX
	ADDQ   CX, AX
	ADDQ   $8, R9
	JMP    loop

done:
	VZEROUPPER
	MOVQ AX, ret+56(FP)
	RET

// func sampleAVX512(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleAVX512(SB), NOSPLIT, $0-80
	SAMPLE_ARGS(128)
	CMPQ R9, R10
	JGE  done
	SAMPLE_CONSTANTS512

loop:
	VMOVDQU64 (SI)(R9*1), Z0
	VMOVDQU64 64(SI)(R9*1), Z12
	VPANDQ    Z21, Z0, Z1
	VPANDQ    Z21, Z12, Z13
	VPSRLQ    $1, Z1, Z1
	VPSRLQ    $1, Z13, Z13
	VPTERNLOGQ $0xA8, Z22, Z0, Z1
	VPTERNLOGQ $0xA8, Z22, Z12, Z13
	LOOKUP512(DI, X23, Z1, Z2, Z3, Z4, K2)
	LOOKUP512(DI, X23, Z13, Z14, Z15, Z16, K3)
	STORE512
	CMPQ      R9, R10
	JGE       done
	CMPQ      AX, $(512-16)
	JLE       loop

done:
	VZEROUPPER
	MOVQ AX, n+64(FP)
	MOVQ R9, next+72(FP)
	RET

// func sampleDiffAVX512(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleDiffAVX512(SB), NOSPLIT, $0-80
	SAMPLE_ARGS(128)
	CMPQ R9, R10
	JGE  done
	SAMPLE_CONSTANTS512

loop:
	VMOVDQU64 (SI)(R9*1), Z0
	VMOVDQU64 64(SI)(R9*1), Z12
	VPSRLQ    $8, Z0, Z1
	VPSRLQ    $8, Z12, Z13
	VPTERNLOGQ $0x28, Z22, Z0, Z1
	VPTERNLOGQ $0x28, Z22, Z12, Z13
	LOOKUP512(DI, X23, Z1, Z2, Z3, Z4, K2)
	LOOKUP512(DI, X23, Z13, Z14, Z15, Z16, K3)
	STORE512
	CMPQ      R9, R10
	JGE       done
	CMPQ      AX, $(512-16)
	JLE       loop

done:
	VZEROUPPER
	MOVQ AX, n+64(FP)
	MOVQ R9, next+72(FP)
	RET

// func pairAVX512(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// Four times 64 places at once, until the pair is at one of them or fewer are
// left; then 64, of which the last may lie behind to.
TEXT ·pairAVX512(SB), NOSPLIT, $0-72
	PAIR_ARGS512

four:
	LEAQ 256(R9), CX
	CMPQ CX, R10
	JG   one
	DIFFER512(0, Z0, Z1)
	DIFFER512(64, Z2, Z3)
	DIFFER512(128, Z4, Z5)
	DIFFER512(192, Z6, Z7)
	VPMINUB  Z0, Z2, Z1
	VPMINUB  Z4, Z6, Z5
	VPMINUB  Z1, Z5, Z1
	VPTESTNMB Z1, Z1, K2
	KTESTQ   K2, K2
	JNZ      one
	ADDQ     $256, R9
	ADDQ     $256, R11
	JMP      four

one:
	MOVQ R10, CX
	SUBQ R9, CX
	JLE  done
	CMPQ AX, $(512-64)
	JG   done
	MOVQ $-1, R8
	CMPQ CX, $64
	JGE  whole
	BZHIQ CX, R8, R8

whole:
	KMOVQ    R8, K1
	VMOVDQU8.Z (SI)(R9*1), K1, Z0
	VMOVDQU8.Z (BX)(R9*1), K1, Z1
	VPTERNLOGQ $0x28, Z21, Z20, Z0
	VPTERNLOGQ $0x28, Z23, Z22, Z1
	VPORQ    Z0, Z1, Z0
	VPTESTNMB Z0, Z0, K1, K2
	KMOVQ    K2, CX
	ADDQ     $64, R9
	TESTQ    CX, CX
	JZ       more

place:
	TZCNTQ CX, R12
	ADDQ   R11, R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRQ  CX, CX
	JNZ    place

more:
	ADDQ $64, R11
	JMP  four

done:
	VZEROUPPER
	CMPQ R9, R10
	CMOVQGT R10, R9
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func pairDiffAVX512(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// Four times 64 places at once, until the pair is at one of them or fewer are
// left; then 64, of which the last may lie behind to.
TEXT ·pairDiffAVX512(SB), NOSPLIT, $0-72
	PAIR_ARGS512

four:
	LEAQ 256(R9), CX
	CMPQ CX, R10
	JG   one
	DIFFDIFFER512(0, Z0, Z1)
	DIFFDIFFER512(64, Z2, Z3)
	DIFFDIFFER512(128, Z4, Z5)
	DIFFDIFFER512(192, Z6, Z7)
	VPMINUB  Z0, Z2, Z1
	VPMINUB  Z4, Z6, Z5
	VPMINUB  Z1, Z5, Z1
	VPTESTNMB Z1, Z1, K2
	KTESTQ   K2, K2
	JNZ      one
	ADDQ     $256, R9
	ADDQ     $256, R11
	JMP      four

one:
	MOVQ R10, CX
	SUBQ R9, CX
	JLE  done
	CMPQ AX, $(512-64)
	JG   done
	MOVQ $-1, R8
	CMPQ CX, $64
	JGE  whole
	BZHIQ CX, R8, R8

whole:
	KMOVQ    R8, K1
	VMOVDQU8.Z (SI)(R9*1), K1, Z0
	VMOVDQU8.Z (BX)(R9*1), K1, Z1
	VMOVDQU8.Z 1(SI)(R9*1), K1, Z2
	VMOVDQU8.Z 1(BX)(R9*1), K1, Z3
	VPTERNLOGQ $0x96, Z2, Z20, Z0
	VPTERNLOGQ $0x96, Z3, Z22, Z1
	VPORQ    Z0, Z1, Z0
	VPTESTNMB Z0, Z0, K1, K2
	KMOVQ    K2, CX
	ADDQ     $64, R9
	TESTQ    CX, CX
	JZ       more

place:
	TZCNTQ CX, R12
	ADDQ   R11, R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRQ  CX, CX
	JNZ    place

more:
	ADDQ $64, R11
	JMP  four

done:
	VZEROUPPER
	CMPQ R9, R10
	CMOVQGT R10, R9
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func tripleAVX512(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
//
// This may be the only filter, so it has data come nearer as windowAVX512 does.
TEXT ·tripleAVX512(SB), NOSPLIT, $64-72
	TRIPLE_ARGS512

loop:
	CMPQ R9, R10
	JG   done
	CMPQ AX, $(512-64)
	JG   done
	PREFETCHT1 PREFETCH(SI)(R9*1)
	VMOVDQU64 0(SI)(R9*1), Z0
	VMOVDQU64 1(SI)(R9*1), Z1
	VMOVDQU64 2(SI)(R9*1), Z2
	BUCKETS512
	KTESTQ K1, K1
	JZ     none
	KMOVQ  K1, CX
	VMOVDQU64 Z0, (SP)
	PUT(bit, none)
	ADDQ $64, R9
	ADDQ $64, R11
	JMP  loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func tripleDiffAVX512(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·tripleDiffAVX512(SB), NOSPLIT, $64-72
	TRIPLE_ARGS512

loop:
	CMPQ R9, R10
	JG   done
	CMPQ AX, $(512-64)
	JG   done
	VMOVDQU64 0(SI)(R9*1), Z0
	VMOVDQU64 1(SI)(R9*1), Z1
	VMOVDQU64 2(SI)(R9*1), Z2
	VPXORQ    Z1, Z0, Z0
	VPXORQ    Z2, Z1, Z1
	VPXORQ    3(SI)(R9*1), Z2, Z2
	BUCKETS512
	KTESTQ K1, K1
	JZ     none
	KMOVQ  K1, CX
	VMOVDQU64 Z0, (SP)
	PUT(bit, none)
	ADDQ $64, R9
	ADDQ $64, R11
	JMP  loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// evens are the places of sixteen windows, as candidates have them.
DATA ·evens<>+0(SB)/4, $(0<<10)
DATA ·evens<>+4(SB)/4, $(2<<10)
DATA ·evens<>+8(SB)/4, $(4<<10)
DATA ·evens<>+12(SB)/4, $(6<<10)
DATA ·evens<>+16(SB)/4, $(8<<10)
DATA ·evens<>+20(SB)/4, $(10<<10)
DATA ·evens<>+24(SB)/4, $(12<<10)
DATA ·evens<>+28(SB)/4, $(14<<10)
DATA ·evens<>+32(SB)/4, $(16<<10)
DATA ·evens<>+36(SB)/4, $(18<<10)
DATA ·evens<>+40(SB)/4, $(20<<10)
DATA ·evens<>+44(SB)/4, $(22<<10)
DATA ·evens<>+48(SB)/4, $(24<<10)
DATA ·evens<>+52(SB)/4, $(26<<10)
DATA ·evens<>+56(SB)/4, $(28<<10)
DATA ·evens<>+60(SB)/4, $(30<<10)
GLOBL ·evens<>(SB), RODATA|NOPTR, $64

// eights are the places of sixteen grams.
DATA ·eights<>+0(SB)/4, $0
DATA ·eights<>+4(SB)/4, $8
DATA ·eights<>+8(SB)/4, $16
DATA ·eights<>+12(SB)/4, $24
DATA ·eights<>+16(SB)/4, $32
DATA ·eights<>+20(SB)/4, $40
DATA ·eights<>+24(SB)/4, $48
DATA ·eights<>+28(SB)/4, $56
DATA ·eights<>+32(SB)/4, $64
DATA ·eights<>+36(SB)/4, $72
DATA ·eights<>+40(SB)/4, $80
DATA ·eights<>+44(SB)/4, $88
DATA ·eights<>+48(SB)/4, $96
DATA ·eights<>+52(SB)/4, $104
DATA ·eights<>+56(SB)/4, $112
DATA ·eights<>+60(SB)/4, $120
GLOBL ·eights<>(SB), RODATA|NOPTR, $64

// secondBits are how far the second bit of a hash is from its first, by the
// two bits of the hash above those that choose the first: see twoBits.
DATA ·secondBits<>+0(SB)/8, $7
DATA ·secondBits<>+8(SB)/8, $20
DATA ·secondBits<>+16(SB)/8, $33
DATA ·secondBits<>+24(SB)/8, $46
DATA ·secondBits<>+32(SB)/8, $7
DATA ·secondBits<>+40(SB)/8, $20
DATA ·secondBits<>+48(SB)/8, $33
DATA ·secondBits<>+56(SB)/8, $46
GLOBL ·secondBits<>(SB), RODATA|NOPTR, $64
