/* Reads and writes .npy files. Nothing in a file is believed before it is compared with the file's size: no allocation
 * is larger than what the file holds. */
#include "arrays/npy.h"
#include "arrays/npy_header.h"
#include "files/output.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAGIC_BYTES = 8, MOST_HEADER = 1 << 16, HEADER_ALIGNMENT = 64, MOST_ITEM = 8, CHUNK = 4096 };

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

static uint64_t little_endian(const unsigned char *bytes, int64_t n) {
    uint64_t value = 0;
    for (int64_t i = 0; i < n; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static int64_t signed_little_endian(const unsigned char *bytes, int64_t n) {
    uint64_t value = little_endian(bytes, n), sign = UINT64_C(1) << (8 * n - 1);
    return (int64_t)((value ^ sign) - sign);
}

/* What became of an element: BEYOND is a finite number larger than any of the type. */
typedef enum conversion { EXACT, ROUNDED, BEYOND } conversion;

/* The nearest number of the type. */
static conversion convert(long double x, cvk_type type, void *to) {
    type_write_long(type, to, x);
    const double value = type_read(type, to);
    if (value == x || (isnan(x) && isnan(value))) return EXACT;
    const bool within = type_least(type) <= x && x <= type_greatest(type); /* integers saturate */
    return isinf(value) || isnan(x) || (!type_is_float(type) && !within) ? BEYOND : ROUNDED;
}

static double decode_half(const unsigned char *bytes) {
    enum { FRACTION_BITS = 10, BIAS = 15, INFINITE = 31 };
    uint64_t bits = little_endian(bytes, 2), fraction = bits & ((1 << FRACTION_BITS) - 1);
    int exponent = (int)(bits >> FRACTION_BITS) & INFINITE;
    double magnitude = exponent == INFINITE ? (fraction ? (double)NAN : (double)INFINITY)
                       : exponent ? ldexp((double)(fraction | 1 << FRACTION_BITS), exponent - BIAS - FRACTION_BITS)
                                  : ldexp((double)fraction, 1 - BIAS - FRACTION_BITS);
    return bits >> 15 ? -magnitude : magnitude;
}

static double decode_double(const unsigned char *bytes) {
    uint64_t bits = little_endian(bytes, 8);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One of `n` bytes, little-endian: a long double holds every integer of eight bytes. */
_Static_assert(LDBL_MANT_DIG >= 64, "npy_decode loses digits");
typedef long double npy_decode(const unsigned char *bytes, int64_t n);

static long double decode_float(const unsigned char *bytes, int64_t n) {
    if (n == 2) return decode_half(bytes);
    if (n == 8) return decode_double(bytes);
    uint32_t bits = (uint32_t)little_endian(bytes, n);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The upper half of a f4. */
static long double decode_bfloat16(const unsigned char *bytes, int64_t n) {
    const unsigned char whole[] = {0, 0, bytes[0], bytes[1]};
    return decode_float(whole, 2 * n);
}

static long double decode_signed(const unsigned char *bytes, int64_t n) { return signed_little_endian(bytes, n); }

static long double decode_unsigned(const unsigned char *bytes, int64_t n) { return little_endian(bytes, n); }

typedef struct npy_type {
    const char *descr;
    int64_t bytes;
    npy_decode *decode;
    cvk_type own; /* that has the same bits; TYPES: none */
} npy_type;

/* NumPy has no bf16: arrays of ml_dtypes' are saved as two raw bytes each. */
static const npy_type types[] = {
    {"<f2", 2, decode_float, TYPE_F16},     {"<f4", 4, decode_float, TYPE_F32},
    {"<f8", 8, decode_float, TYPE_F64},     {"<V2", 2, decode_bfloat16, TYPE_BF16},
    {"|V2", 2, decode_bfloat16, TYPE_BF16}, {"bfloat16", 2, decode_bfloat16, TYPE_BF16},
    {"|i1", 1, decode_signed, TYPE_S8},     {"|u1", 1, decode_unsigned, TYPE_U8},
    {"<i2", 2, decode_signed, TYPE_S16},    {"<u2", 2, decode_unsigned, TYPES},
    {"<i4", 4, decode_signed, TYPE_S32},    {"<u4", 4, decode_unsigned, TYPES},
    {"<i8", 8, decode_signed, TYPES},       {"<u8", 8, decode_unsigned, TYPES},
};
static const char known_types[] = "f2, f4, f8, bfloat16, i1, u1, i2, u2, i4, u4, i8, u8";

/* What array.astype takes; of bf16, where ml_dtypes is there. */
static const char *name_in_numpy(cvk_type type) { return type == TYPE_BF16 ? "bfloat16" : type_rows[type].numpy; }

/* A file being read, and where to say what is wrong with it. */
typedef struct reader {
    const char *path;
    cvk_type type; /* that is wanted */
    bool convert;  /* round what no number of it is equal to */
    bool swapped;  /* the file's numbers begin with their highest byte */
    FILE *file;
    int64_t left; /* bytes not read yet */
    cvk_diagnostics *diagnostics;
} reader;

static cvk_status refuse(const reader *r, const char *hint, const char *message) {
    diag_error(r->diagnostics, E_FILE_READ, (place){.file = r->path}, hint, "%s", message);
    return CVK_ERROR_IO;
}

static cvk_status take(reader *r, void *to, int64_t bytes) {
    if (r->left < bytes) return refuse(r, NULL, "the .npy file ends within its header");
    if (fread(to, 1, (size_t)bytes, r->file) != (size_t)bytes) return refuse(r, NULL, "the file cannot be read");
    r->left -= bytes;
    return CVK_OK;
}

/* The magic, the version and the header's length, which has two bytes in version 1 and four later. */
static cvk_status read_prefix(reader *r, int64_t *header_bytes) {
    unsigned char start[MAGIC_BYTES], length[4];
    if (r->left < MAGIC_BYTES) return refuse(r, "numpy.save writes one", "this is not a .npy file");
    cvk_status status = take(r, start, sizeof start);
    if (status != CVK_OK) return status;
    if (memcmp(start, magic, sizeof magic) != 0) return refuse(r, "numpy.save writes one", "this is not a .npy file");
    int major = start[6], minor = start[7];
    if (major < 1 || major > 3 || minor != 0)
        return refuse(r, "numpy.save writes 1.0 to 3.0", "this version of .npy is not known");
    int bytes = major == 1 ? 2 : 4;
    status = take(r, length, bytes);
    if (status != CVK_OK) return status;
    *header_bytes = (int64_t)little_endian(length, bytes);
    return *header_bytes <= MOST_HEADER ? CVK_OK : refuse(r, NULL, "the .npy header is longer than 65536 bytes");
}

static cvk_status read_header(reader *r, npy_header *header) {
    int64_t bytes;
    cvk_status status = read_prefix(r, &bytes);
    if (status != CVK_OK) return status;
    char *text = malloc((size_t)bytes + 1);
    if (!text) return CVK_ERROR_MEMORY;
    status = take(r, text, bytes);
    const char *wrong = status == CVK_OK ? npy_header_parse(text, (size_t)bytes, header) : NULL;
    free(text);
    if (!wrong) return status;
    const char *hint = header->structured ? "save one of its fields, array['name']" : "numpy.save writes one";
    diag_error(r->diagnostics, E_FILE_READ, (place){.file = r->path}, hint, "bad .npy header: %s", wrong);
    return CVK_ERROR_IO;
}

/* Whether the header has the type with the other order of bytes. */
static bool is_swapped(const npy_header *header, const npy_type *type) {
    return header->descr[0] == '>' && type->descr[0] == '<' && strcmp(header->descr + 1, type->descr + 1) == 0;
}

static cvk_status find_type(const reader *r, const npy_header *header, const npy_type **type) {
    char hint[32];
    snprintf(hint, sizeof hint, "save array.astype('%s')", name_in_numpy(r->type));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(header->descr, types[i].descr) == 0 || is_swapped(header, &types[i])) {
            *type = &types[i];
            return CVK_OK;
        }
    diag_error(r->diagnostics, E_FILE_READ, (place){.file = r->path}, hint, "the type \"%s\" is none of %s",
               header->descr, known_types);
    return CVK_ERROR_IO;
}

/* The product of the shape, provided that the rest of the file is exactly that many elements. */
static cvk_status count_elements(const reader *r, const npy_header *header, const npy_type *type, int64_t *elements) {
    int64_t count = 1, bytes;
    bool overflow = false;
    for (int i = 0; i < header->rank; i++) overflow |= __builtin_mul_overflow(count, header->shape[i], &count);
    overflow |= __builtin_mul_overflow(count, type->bytes, &bytes);
    if (overflow) return refuse(r, NULL, "the array is larger than any file");
    if (bytes != r->left) {
        diag_error(r->diagnostics, E_FILE_READ, (place){.file = r->path}, NULL,
                   "the array takes %lld bytes, but %lld follow the header", (long long)bytes, (long long)r->left);
        return CVK_ERROR_IO;
    }
    *elements = count;
    return CVK_OK;
}

/* "[0, 3, 1]", the indices of an element. */
static void show_place(const npy_array *array, int64_t element, char *to, size_t size) {
    int64_t index[NPY_MOST_DIMENSIONS];
    for (int i = array->rank - 1; i >= 0; element /= array->shape[i--]) index[i] = element % array->shape[i];
    int used = snprintf(to, size, "[");
    for (int i = 0; i < array->rank; i++)
        used += snprintf(to + used, size - (size_t)used, "%s%lld", i ? ", " : "", (long long)index[i]);
    snprintf(to + used, size - (size_t)used, "]");
}

static void show_element(const npy_type *type, const unsigned char *bytes, char *to, size_t size) {
    if (type->decode == decode_signed)
        snprintf(to, size, "%lld", (long long)signed_little_endian(bytes, type->bytes));
    else if (type->decode == decode_unsigned)
        snprintf(to, size, "%llu", (unsigned long long)little_endian(bytes, type->bytes));
    else
        snprintf(to, size, "%.17g", (double)type->decode(bytes, type->bytes));
}

static cvk_status refuse_element(const reader *r, const npy_type *type, const npy_array *array, int64_t element,
                                 const unsigned char *bytes, conversion became) {
    char where[24 * NPY_MOST_DIMENSIONS], what[32], hint[64];
    const char *name = type_name(r->type);
    snprintf(hint, sizeof hint, "--convert rounds, as array.astype('%s') does", name_in_numpy(r->type));
    show_place(array, element, where, sizeof where);
    show_element(type, bytes, what, sizeof what);
    diag_error(r->diagnostics, E_FILE_READ, (place){.file = r->path}, became == BEYOND ? NULL : hint,
               became == BEYOND ? "element %s is %s, beyond the largest %s"
                                : "element %s is %s, to which no %s is equal",
               where, what, name);
    return CVK_ERROR_IO;
}

/* Of the type that is wanted it stays as it is: a NaN keeps its bits. */
static conversion decode(const npy_type *type, const unsigned char *from, cvk_type wanted, void *to) {
    if (type->own != wanted) return convert(type->decode(from, type->bytes), wanted, to);
    const uint64_t bits = little_endian(from, type->bytes);
    memcpy(to, &bits, (size_t)type->bytes);
    return EXACT;
}

static void swap_bytes(unsigned char *bytes, int64_t n) {
    for (int64_t i = 0; i < n / 2; i++) {
        const unsigned char kept = bytes[i];
        bytes[i] = bytes[n - 1 - i];
        bytes[n - 1 - i] = kept;
    }
}

/* Where an element of the file stands in the array, whose last axis is the one whose neighbours are neighbours; in a
 * file in Fortran's order it is the first. */
static int64_t placed(const npy_array *array, bool fortran_order, int64_t element) {
    if (!fortran_order) return element;
    int64_t at = 0, stride = array->elements;
    for (int i = 0; i < array->rank; element /= array->shape[i++])
        at += element % array->shape[i] * (stride /= array->shape[i]);
    return at;
}

static cvk_status read_element(const reader *r, const npy_type *type, npy_array *array, int64_t at,
                               unsigned char *from) {
    if (r->swapped) swap_bytes(from, type->bytes);
    const conversion became = decode(type, from, array->type, (char *)array->data + at * type_bytes(array->type));
    const bool wrong = became == BEYOND || (became == ROUNDED && !r->convert);
    return wrong ? refuse_element(r, type, array, at, from, became) : CVK_OK;
}

static cvk_status read_elements(reader *r, const npy_type *type, bool fortran_order, npy_array *array) {
    unsigned char bytes[CHUNK * MOST_ITEM];
    for (int64_t at = 0; at < array->elements; at += CHUNK) {
        int64_t n = array->elements - at < CHUNK ? array->elements - at : CHUNK;
        cvk_status status = take(r, bytes, n * type->bytes);
        for (int64_t i = 0; i < n && status == CVK_OK; i++)
            status = read_element(r, type, array, placed(array, fortran_order, at + i), bytes + i * type->bytes);
        if (status != CVK_OK) return status;
    }
    return CVK_OK;
}

static cvk_status read_array(reader *r, npy_array *array) {
    npy_header header;
    const npy_type *type = NULL;
    cvk_status status = read_header(r, &header);
    if (status == CVK_OK) status = find_type(r, &header, &type);
    if (status == CVK_OK) status = count_elements(r, &header, type, &array->elements);
    if (status != CVK_OK) return status;
    array->rank = header.rank;
    memcpy(array->shape, header.shape, sizeof array->shape);
    array->type = r->type;
    array->data = malloc((size_t)(array->elements * type_bytes(r->type) + 1)); /* + 1: an empty array is not NULL */
    if (!array->data) return CVK_ERROR_MEMORY;
    r->swapped = is_swapped(&header, type);
    return read_elements(r, type, header.fortran_order, array);
}

cvk_status npy_read(const char *path, cvk_type type, bool convert, cvk_diagnostics *diagnostics, npy_array *array) {
    *array = (npy_array){.rank = 0};
    struct stat info;
    reader r = {.path = path, .type = type, .convert = convert, .file = fopen(path, "rb"), .diagnostics = diagnostics};
    if (!r.file) return refuse(&r, NULL, strerror(errno));
    cvk_status status = CVK_ERROR_IO;
    if (fstat(fileno(r.file), &info) != 0 || !S_ISREG(info.st_mode))
        refuse(&r, NULL, "this is not a regular file");
    else {
        r.left = (int64_t)info.st_size;
        status = read_array(&r, array);
    }
    fclose(r.file);
    if (status != CVK_OK) npy_free(array);
    return status;
}

/* The longest is that of 8 dimensions of 19 digits. Filled up with spaces so that the data are aligned in the file. */
static size_t format_header(const npy_array *array, unsigned char *to, size_t size) {
    char text[256];
    int n =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type_rows[array->type].numpy);
    for (int i = 0; i < array->rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, i ? ", %lld" : "%lld", (long long)array->shape[i]);
    n += snprintf(text + n, sizeof text - (size_t)n, array->rank == 1 ? ",), }" : "), }");
    size_t prefix = MAGIC_BYTES + 2, length = (size_t)n;
    size_t total = (prefix + length + 1 + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    memset(to, ' ', size);
    memcpy(to, magic, sizeof magic);
    memcpy(to + sizeof magic, (const unsigned char[]){1, 0}, 2);
    to[MAGIC_BYTES] = (unsigned char)((total - prefix) & 0xff);
    to[MAGIC_BYTES + 1] = (unsigned char)((total - prefix) >> 8);
    memcpy(to + prefix, text, length);
    to[total - 1] = '\n';
    return total;
}

cvk_status npy_write(const char *path, cvk_diagnostics *diagnostics, const npy_array *array) {
    unsigned char header[5 * HEADER_ALIGNMENT];
    size_t header_bytes = format_header(array, header, sizeof header);
    size_t data_bytes = (size_t)(array->elements * type_bytes(array->type)); /* little-endian, as we are */
    output_file file = {.path = path, .size = header_bytes + data_bytes};
    unsigned char *bytes = malloc(file.size);
    if (!bytes) return CVK_ERROR_MEMORY;
    memcpy(bytes, header, header_bytes);
    if (data_bytes) memcpy(bytes + header_bytes, array->data, data_bytes);
    file.bytes = bytes;
    cvk_status status = output_write(&file, 1, diagnostics);
    free(bytes);
    return status;
}

void npy_free(npy_array *array) {
    free(array->data);
    *array = (npy_array){.rank = 0};
}
