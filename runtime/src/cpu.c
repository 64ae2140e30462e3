/* What the running CPU can do: asked once, then remembered.
 *
 * On x86 a feature counts only if CPUID has its bit and the operating system saves the registers it uses, which XCR0
 * tells. On Linux elsewhere the kernel says what it has enabled. A CPU's name implies nothing: virtual machines and
 * firmware switch features off. */
#include <convoke/runtime.h>

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

enum { EAX, EBX, ECX, EDX, REGISTERS };
#define LEAF_BASIC 1u
#define LEAF_FEATURES 7u
#define LEAF_EXTENDED 0x80000001u

/* Register state the operating system has to save, as bits of XCR0. */
enum {
    STATE_NONE = 0,
    STATE_AVX = 0x06,    /* xmm and ymm */
    STATE_AVX512 = 0xe6, /* and mask registers, the upper halves of zmm0-15, zmm16-31 */
};

typedef struct cpuid_bit {
    uint64_t feature;
    unsigned leaf, part;
    int where; /* register */
    int bit;
    unsigned state;
} cpuid_bit;

static const cpuid_bit cpuid_bits[] = {
    {CVK_CPU_SSE2, LEAF_BASIC, 0, EDX, 26, STATE_NONE},
    {CVK_CPU_SSE3, LEAF_BASIC, 0, ECX, 0, STATE_NONE},
    {CVK_CPU_SSSE3, LEAF_BASIC, 0, ECX, 9, STATE_NONE},
    {CVK_CPU_FMA, LEAF_BASIC, 0, ECX, 12, STATE_AVX},
    {CVK_CPU_SSE41, LEAF_BASIC, 0, ECX, 19, STATE_NONE},
    {CVK_CPU_SSE42, LEAF_BASIC, 0, ECX, 20, STATE_NONE},
    {CVK_CPU_MOVBE, LEAF_BASIC, 0, ECX, 22, STATE_NONE},
    {CVK_CPU_POPCNT, LEAF_BASIC, 0, ECX, 23, STATE_NONE},
    {CVK_CPU_AVX, LEAF_BASIC, 0, ECX, 28, STATE_AVX},
    {CVK_CPU_F16C, LEAF_BASIC, 0, ECX, 29, STATE_AVX},
    {CVK_CPU_BMI, LEAF_FEATURES, 0, EBX, 3, STATE_NONE},
    {CVK_CPU_AVX2, LEAF_FEATURES, 0, EBX, 5, STATE_AVX},
    {CVK_CPU_BMI2, LEAF_FEATURES, 0, EBX, 8, STATE_NONE},
    {CVK_CPU_AVX512F, LEAF_FEATURES, 0, EBX, 16, STATE_AVX512},
    {CVK_CPU_AVX512DQ, LEAF_FEATURES, 0, EBX, 17, STATE_AVX512},
    {CVK_CPU_AVX512CD, LEAF_FEATURES, 0, EBX, 28, STATE_AVX512},
    {CVK_CPU_AVX512BW, LEAF_FEATURES, 0, EBX, 30, STATE_AVX512},
    {CVK_CPU_AVX512VL, LEAF_FEATURES, 0, EBX, 31, STATE_AVX512},
    {CVK_CPU_AVX512VNNI, LEAF_FEATURES, 0, ECX, 11, STATE_AVX512},
    {CVK_CPU_AVXVNNI, LEAF_FEATURES, 1, EAX, 4, STATE_AVX},
    {CVK_CPU_AVX512BF16, LEAF_FEATURES, 1, EAX, 5, STATE_AVX512},
    {CVK_CPU_AVX512FP16, LEAF_FEATURES, 0, EDX, 23, STATE_AVX512},
    {CVK_CPU_LZCNT, LEAF_EXTENDED, 0, ECX, 5, STATE_NONE},
};

/* All zero where the CPU has no such leaf, or no such part of it. */
static void ask(unsigned leaf, unsigned part, unsigned answer[REGISTERS]) {
    for (int i = 0; i < REGISTERS; i++) answer[i] = 0;
    __get_cpuid_count(leaf, part, &answer[EAX], &answer[EBX], &answer[ECX], &answer[EDX]);
}

/* The register state the operating system saves; XGETBV exists only where OSXSAVE says so. */
static unsigned saved_state(const unsigned basic[REGISTERS]) {
    enum { OSXSAVE = 27 };
    if (!(basic[ECX] >> OSXSAVE & 1)) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static uint64_t detect(void) {
    unsigned basic[REGISTERS], answer[REGISTERS];
    ask(LEAF_BASIC, 0, basic);
    unsigned saved = saved_state(basic);
    uint64_t features = 0;
    for (size_t i = 0; i < sizeof cpuid_bits / sizeof *cpuid_bits; i++) {
        const cpuid_bit *row = &cpuid_bits[i];
        ask(row->leaf, row->part, answer);
        bool present = answer[row->where] >> row->bit & 1;
        if (present && (saved & row->state) == row->state) features |= row->feature;
    }
    return features;
}

#elif defined(__aarch64__)
#if defined(__linux__) && __STDC_HOSTED__
#include <sys/auxv.h>
#include <sys/prctl.h>

/* From the kernel's headers, which may be older than the machine. */
enum {
    HWCAP_BIT_DOTPROD = 20,
    HWCAP_BIT_SVE = 22,
    HWCAP_BIT_FP16FML = 23,
    SVE_GET_VECTOR_LENGTH = 51,
    VECTOR_LENGTH_MASK = 0xffff
};

/* Bytes of this thread's SVE vectors, which is what the process was started with. */
static long sve_bytes(void) {
    if (!(getauxval(AT_HWCAP) >> HWCAP_BIT_SVE & 1)) return 0;
    long length = prctl(SVE_GET_VECTOR_LENGTH);
    return length < 0 ? 0 : length & VECTOR_LENGTH_MASK;
}

static bool has_dotprod(void) { return getauxval(AT_HWCAP) >> HWCAP_BIT_DOTPROD & 1; }
static bool has_fp16fml(void) { return getauxval(AT_HWCAP) >> HWCAP_BIT_FP16FML & 1; }
#else
static long sve_bytes(void) { return 0; }

/* Without a kernel to ask, the CPUs that the program is compiled for. */
#if defined(__ARM_FEATURE_DOTPROD)
static bool has_dotprod(void) { return true; }
#else
static bool has_dotprod(void) { return false; }
#endif
#if defined(__ARM_FEATURE_FP16_FML)
static bool has_fp16fml(void) { return true; }
#else
static bool has_fp16fml(void) { return false; }
#endif
#endif

/* NEON is part of the base architecture. */
static uint64_t detect(void) {
    return CVK_CPU_NEON | (has_dotprod() ? CVK_CPU_DOTPROD : 0u) | (has_fp16fml() ? CVK_CPU_FP16FML : 0u) |
           (sve_bytes() >= 32 ? CVK_CPU_SVE256 : 0u);
}

#elif defined(__riscv) && defined(__linux__) && __STDC_HOSTED__
#include <sys/auxv.h>

/* Bytes of a vector register; the instruction is there only where V is. */
static unsigned long vector_bytes(void) {
    unsigned long bytes = 0;
    if (getauxval(AT_HWCAP) >> ('v' - 'a') & 1) __asm__ volatile("csrr %0, 0xc22" : "=r"(bytes)); /* vlenb */
    return bytes;
}

static uint64_t detect(void) {
    unsigned long bytes = vector_bytes();
    return (bytes >= 16 ? CVK_CPU_RVV128 : 0u) | (bytes >= 32 ? CVK_CPU_RVV256 : 0u);
}

#elif defined(__arm__)
#if defined(__linux__)
#include <sys/auxv.h>

/* From the kernel's headers: VFPv3 with 32 or with 16 registers of double width; VFPv4. */
enum { HWCAP_BITS_VFP3 = 1 << 13 | 1 << 14, HWCAP_BITS_VFP4 = 1 << 16 };

static uint64_t detect(void) {
    unsigned long has = getauxval(AT_HWCAP);
    return (has & HWCAP_BITS_VFP3 ? CVK_CPU_VFP3 : 0u) | (has & HWCAP_BITS_VFP4 ? CVK_CPU_VFP4 : 0u);
}
#else
/* Without a system to ask, the CPU that the program is compiled for. */
static uint64_t detect(void) {
    uint64_t features = 0;
#if defined(__ARM_FP) && __ARM_FP & 4
    features |= CVK_CPU_VFP3;
#if defined(__ARM_FEATURE_FMA)
    features |= CVK_CPU_VFP4;
#endif
#endif
    return features;
}
#endif

#elif defined(__wasm__)
/* A module with instructions that its engine lacks is refused when it is loaded. */
static uint64_t detect(void) { return CVK_CPU_SIMD128; }
#else
static uint64_t detect(void) { return 0; }
#endif

/* Threads that ask at the same time for the first time all find, and store, the same answer. In two halves of 32 bits,
 * which are atomic without a library on any CPU that has threads; whoever sees the lower one sees the upper one. */
uint64_t cvk_cpu_features(void) {
    static const uint32_t KNOWN = UINT32_C(1) << 31; /* no feature's bit */
    static _Atomic uint32_t lower, upper;
    uint32_t low = atomic_load_explicit(&lower, memory_order_acquire);
    if (!low) {
        const uint64_t features = detect();
        low = (uint32_t)features | KNOWN;
        atomic_store_explicit(&upper, (uint32_t)(features >> 32), memory_order_relaxed);
        atomic_store_explicit(&lower, low, memory_order_release);
    }
    return (uint64_t)atomic_load_explicit(&upper, memory_order_relaxed) << 32 | (low & ~KNOWN);
}
