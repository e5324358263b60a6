//go:build !purego

#include "textflag.h"

// What kernels_avx512_amd64.s does, in AVX2: half as many places at once, and places
// that pass are written one by one. The arguments are in the same registers.

#define PREFETCH256 16384 // blockSize

#define WINDOW_ARGS256(room) \
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

#define SAMPLE_ARGS256(room) \
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
	XORQ R11, R11                \
	XORQ AX, AX

#define SPREAD(value, x, y) \
	MOVQ $value, BX              \
	MOVQ BX, x                   \
	VPBROADCASTQ x, y

#define SAMPLE_CONSTANTS256 \
	MOVQ CX, X9                  \
	VPBROADCASTQ keep+8(FP), Y8  \
	SPREAD(0x9E3779B97F4A7C15, X5, Y5) \
	SPREAD(0x7F4A7C159E3779B9, X6, Y6) \
	SPREAD(0x4040404040404040, X7, Y7) \
	SPREAD(63, X10, Y10)         \
	SPREAD(13, X11, Y11)         \
	SPREAD(7, X12, Y12)          \
	SPREAD(0xFFFFFFFF00000000, X13, Y13) \
	SPREAD(3, X14, Y14)

// LOOKUP256 sets the bits of pass where the filter has both bits of the four
// grams in Y0: their products with golden, made of halves, are the hashes.
#define LOOKUP256(pass) \
	VPMULLD Y6, Y0, Y1           \
	VPSLLQ $32, Y1, Y2           \
	VPADDD Y2, Y1, Y1            \
	VPAND Y13, Y1, Y1            \
	VPMULUDQ Y5, Y0, Y0          \
	VPADDQ Y1, Y0, Y0            \
	VPSRLQ X9, Y0, Y1            \
	VPCMPEQD Y4, Y4, Y4          \
	VPXOR Y2, Y2, Y2             \
	VPGATHERQQ Y4, (DI)(Y1*8), Y2 \
	VPSRLQ $38, Y0, Y1           \
	VPSRLQ $32, Y0, Y3           \
	VPAND Y14, Y1, Y1            \
	VPMULUDQ Y11, Y1, Y1         \
	VPADDQ Y12, Y1, Y1           \
	VPADDQ Y3, Y1, Y1            \
	VPAND Y10, Y1, Y1            \
	VPAND Y10, Y3, Y3            \
	VPSRLVQ Y3, Y2, Y3           \
	VPSRLVQ Y1, Y2, Y1           \
	VPAND Y3, Y1, Y1             \
	VPSLLQ $63, Y1, Y1           \
	VMOVMSKPD Y1, pass

#define PAIR_ARGS256 \
	MOVQ x+0(FP), CX             \
	VPBROADCASTB 0(CX), Y8       \
	VPBROADCASTB 1(CX), Y9       \
	VPBROADCASTB 2(CX), Y10      \
	VPBROADCASTB 3(CX), Y11      \
	VPXOR Y15, Y15, Y15          \
	MOVQ 8(CX), BX               \
	MOVQ buf_base+8(FP), SI      \
	MOVQ from+32(FP), R9         \
	MOVQ to+40(FP), R10          \
	MOVQ out+48(FP), DX          \
	ADDQ SI, BX                  \
	XORQ R11, R11                \
	XORQ AX, AX

#define DIFFER256(o, a, b) \
	VPXOR o(SI)(R9*1), Y8, a         \
	VPXOR o(BX)(R9*1), Y10, b        \
	VPAND Y9, a, a                   \
	VPAND Y11, b, b                  \
	VPOR a, b, a

#define DIFFDIFFER256(o, a, b) \
	VPXOR o(SI)(R9*1), Y8, a         \
	VPXOR o(BX)(R9*1), Y10, b        \
	VPXOR (o+1)(SI)(R9*1), a, a      \
	VPXOR (o+1)(BX)(R9*1), b, b      \
	VPOR a, b, a

#define TRIPLE_ARGS256 \
	MOVQ m+0(FP), CX             \
	VBROADCASTI128 0(CX), Y8     \
	VBROADCASTI128 16(CX), Y9    \
	VBROADCASTI128 32(CX), Y10   \
	VBROADCASTI128 48(CX), Y11   \
	VBROADCASTI128 64(CX), Y12   \
	VBROADCASTI128 80(CX), Y13   \
	SPREAD(0x0F0F0F0F0F0F0F0F, X14, Y14) \
	VPXOR Y15, Y15, Y15          \
	MOVQ buf_base+8(FP), SI      \
	MOVQ from+32(FP), R9         \
	MOVQ to+40(FP), R10          \
	MOVQ out+48(FP), DX          \
	SUBQ $32, R10                \
	XORQ R11, R11                \
	XORQ AX, AX

#define HALVES256(x, a, low, high) \
	VPAND   Y14, x, a            \
	VPSRLW  $4, x, x             \
	VPAND   Y14, x, x            \
	VPSHUFB a, low, a            \
	VPSHUFB x, high, x           \
	VPAND   a, x, x

// BUCKETS256 makes Y0 the buckets of the three bytes in Y0, Y1 and Y2, and CX
// the mask of places that have none.
#define BUCKETS256 \
	HALVES256(Y0, Y3, Y8, Y9)    \
	HALVES256(Y1, Y4, Y10, Y11)  \
	HALVES256(Y2, Y5, Y12, Y13)  \
	VPAND   Y1, Y0, Y0           \
	VPAND   Y2, Y0, Y0           \
	VPCMPEQB Y15, Y0, Y1         \
	VPMOVMSKB Y1, CX

#define PUT256(bit, next) \
bit:                         \
	TZCNTL  CX, R12              \
	MOVBLZX (SP)(R12*1), R13     \
	ADDQ    R11, R12             \
	SHLQ    $8, R12              \
	ORQ     R13, R12             \
	MOVL    R12, (DX)(AX*4)      \
	INCQ    AX                   \
	BLSRL   CX, CX               \
	JNZ     bit                  \
next:

// func windowAVX2(t *pairTable, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·windowAVX2(SB), NOSPLIT, $32-72
	WINDOW_ARGS256(32)
	CMPQ R9, R10
	JGE  done

	VMOVDQU ·evens<>(SB), Y10
	MOVL    $(16<<10), CX
	MOVQ    CX, X11
	VPBROADCASTD X11, Y11
	VPXOR   Y15, Y15, Y15

	VPMOVZXWD (SI)(R9*1), Y0
	VPCMPEQD  Y7, Y7, Y7
	VPXOR     Y1, Y1, Y1
	VPGATHERDD Y7, (DI)(Y0*4), Y1

loop:
	PREFETCHT1 PREFETCH256(SI)(R9*1)
	VPMOVZXWD 16(SI)(R9*1), Y2
	VPCMPEQD  Y7, Y7, Y7
	VPXOR     Y3, Y3, Y3
	VPGATHERDD Y7, (DI)(Y2*4), Y3
	VPERM2I128 $0x21, Y3, Y1, Y6
	VPALIGNR  $4, Y1, Y6, Y4
	VPALIGNR  $8, Y1, Y6, Y5
	VPSRLD    $10, Y4, Y4
	VPSRLD    $20, Y5, Y5
	VPAND     Y4, Y1, Y1
	VPAND     Y5, Y1, Y1
	VPCMPEQD  Y15, Y1, Y8
	VMOVMSKPS Y8, CX
	XORL      $0xFF, CX
	JZ        none
	VPOR      Y10, Y1, Y1
	VMOVDQU   Y1, (SP)

place:
	TZCNTL CX, R12
	MOVL   (SP)(R12*4), R13
	MOVL   R13, (DX)(AX*4)
	INCQ   AX
	BLSRL  CX, CX
	JNZ    place

none:
	VPADDD  Y11, Y10, Y10
	VMOVDQA Y3, Y1
	ADDQ    $16, R9
	CMPQ    R9, R10
	JGE     done
	CMPQ    AX, $(512-8)
	JLE     loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func sampleAVX2(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleAVX2(SB), NOSPLIT, $0-80
	SAMPLE_ARGS256(64)
	CMPQ R9, R10
	JGE  done
	SAMPLE_CONSTANTS256

loop:
	VMOVDQU 0(SI)(R9*1), Y0
	VPAND   Y7, Y0, Y1
	VPSRLQ  $1, Y1, Y1
	VPOR    Y1, Y0, Y0
	VPAND   Y8, Y0, Y0
	LOOKUP256(CX)
	VMOVDQU 32(SI)(R9*1), Y0
	VPAND   Y7, Y0, Y1
	VPSRLQ  $1, Y1, Y1
	VPOR    Y1, Y0, Y0
	VPAND   Y8, Y0, Y0
	LOOKUP256(R8)
	SHLL $4, R8
	ORL  R8, CX
	JZ   none

place:
	TZCNTL CX, R12
	LEAQ   (R11)(R12*8), R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRL  CX, CX
	JNZ    place

none:
	ADDQ $64, R9
	ADDQ $64, R11
	CMPQ R9, R10
	JGE  done
	CMPQ AX, $(512-8)
	JLE  loop

done:
	VZEROUPPER
	MOVQ AX, n+64(FP)
	MOVQ R9, next+72(FP)
	RET

// func sampleDiffAVX2(f *gramFilter, keep uint64, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·sampleDiffAVX2(SB), NOSPLIT, $0-80
	SAMPLE_ARGS256(64)
	CMPQ R9, R10
	JGE  done
	SAMPLE_CONSTANTS256

loop:
	VMOVDQU 0(SI)(R9*1), Y0
	VPSRLQ  $8, Y0, Y1
	VPXOR   Y1, Y0, Y0
	VPAND   Y8, Y0, Y0
	LOOKUP256(CX)
	VMOVDQU 32(SI)(R9*1), Y0
	VPSRLQ  $8, Y0, Y1
	VPXOR   Y1, Y0, Y0
	VPAND   Y8, Y0, Y0
	LOOKUP256(R8)
	SHLL $4, R8
	ORL  R8, CX
	JZ   none

place:
	TZCNTL CX, R12
	LEAQ   (R11)(R12*8), R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRL  CX, CX
	JNZ    place

none:
	ADDQ $64, R9
	ADDQ $64, R11
	CMPQ R9, R10
	JGE  done
	CMPQ AX, $(512-8)
	JLE  loop

done:
	VZEROUPPER
	MOVQ AX, n+64(FP)
	MOVQ R9, next+72(FP)
	RET

// func pairAVX2(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·pairAVX2(SB), NOSPLIT, $0-72
	PAIR_ARGS256

four:
	LEAQ 128(R9), CX
	CMPQ CX, R10
	JG   one
	DIFFER256(0, Y0, Y1)
	DIFFER256(32, Y2, Y3)
	DIFFER256(64, Y4, Y5)
	DIFFER256(96, Y6, Y7)
	VPMINUB   Y0, Y2, Y1
	VPMINUB   Y4, Y6, Y5
	VPMINUB   Y1, Y5, Y1
	VPCMPEQB  Y15, Y1, Y1
	VPTEST    Y1, Y1
	JNZ       one
	ADDQ      $128, R9
	ADDQ      $128, R11
	JMP       four

one:
	LEAQ 32(R9), CX
	CMPQ CX, R10
	JG   done
	CMPQ AX, $(512-32)
	JG   done
	DIFFER256(0, Y0, Y1)
	VPCMPEQB  Y15, Y0, Y0
	VPMOVMSKB Y0, CX
	ADDQ      $32, R9
	TESTL     CX, CX
	JZ        more

place:
	TZCNTL CX, R12
	ADDQ   R11, R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRL  CX, CX
	JNZ    place

more:
	ADDQ $32, R11
	JMP  four

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func pairDiffAVX2(x *bytePair, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·pairDiffAVX2(SB), NOSPLIT, $0-72
	PAIR_ARGS256

four:
	LEAQ 128(R9), CX
	CMPQ CX, R10
	JG   one
	DIFFDIFFER256(0, Y0, Y1)
	DIFFDIFFER256(32, Y2, Y3)
	DIFFDIFFER256(64, Y4, Y5)
	DIFFDIFFER256(96, Y6, Y7)
	VPMINUB   Y0, Y2, Y1
	VPMINUB   Y4, Y6, Y5
	VPMINUB   Y1, Y5, Y1
	VPCMPEQB  Y15, Y1, Y1
	VPTEST    Y1, Y1
	JNZ       one
	ADDQ      $128, R9
	ADDQ      $128, R11
	JMP       four

one:
	LEAQ 32(R9), CX
	CMPQ CX, R10
	JG   done
	CMPQ AX, $(512-32)
	JG   done
	DIFFDIFFER256(0, Y0, Y1)
	VPCMPEQB  Y15, Y0, Y0
	VPMOVMSKB Y0, CX
	ADDQ      $32, R9
	TESTL     CX, CX
	JZ        more

place:
	TZCNTL CX, R12
	ADDQ   R11, R12
	MOVL   R12, (DX)(AX*4)
	INCQ   AX
	BLSRL  CX, CX
	JNZ    place

more:
	ADDQ $32, R11
	JMP  four

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func tripleAVX2(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·tripleAVX2(SB), NOSPLIT, $32-72
	TRIPLE_ARGS256

loop:
	CMPQ R9, R10
	JG   done
	CMPQ AX, $(512-32)
	JG   done
	PREFETCHT1 PREFETCH256(SI)(R9*1)
	VMOVDQU 0(SI)(R9*1), Y0
	VMOVDQU 1(SI)(R9*1), Y1
	VMOVDQU 2(SI)(R9*1), Y2
	BUCKETS256
	XORL $0xFFFFFFFF, CX
	JZ   none
	VMOVDQU Y0, (SP)
	PUT256(bit, none)
	ADDQ $32, R9
	ADDQ $32, R11
	JMP  loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// func tripleDiffAVX2(m *tripleMasks, buf []byte, from, to int, out *[candidates]uint32) (n, next int)
TEXT ·tripleDiffAVX2(SB), NOSPLIT, $32-72
	TRIPLE_ARGS256

loop:
	CMPQ R9, R10
	JG   done
	CMPQ AX, $(512-32)
	JG   done
	VMOVDQU 0(SI)(R9*1), Y0
	VMOVDQU 1(SI)(R9*1), Y1
	VMOVDQU 2(SI)(R9*1), Y2
	VPXOR   Y1, Y0, Y0
	VPXOR   Y2, Y1, Y1
	VPXOR   3(SI)(R9*1), Y2, Y2
	BUCKETS256
	XORL $0xFFFFFFFF, CX
	JZ   none
	VMOVDQU Y0, (SP)
	PUT256(bit, none)
	ADDQ $32, R9
	ADDQ $32, R11
	JMP  loop

done:
	VZEROUPPER
	MOVQ AX, n+56(FP)
	MOVQ R9, next+64(FP)
	RET

// evens are the places of eight windows, as candidates have them.
DATA ·evens<>+0(SB)/4, $(0<<10)
DATA ·evens<>+4(SB)/4, $(2<<10)
DATA ·evens<>+8(SB)/4, $(4<<10)
DATA ·evens<>+12(SB)/4, $(6<<10)
DATA ·evens<>+16(SB)/4, $(8<<10)
DATA ·evens<>+20(SB)/4, $(10<<10)
DATA ·evens<>+24(SB)/4, $(12<<10)
DATA ·evens<>+28(SB)/4, $(14<<10)
GLOBL ·evens<>(SB), RODATA|NOPTR, $32
