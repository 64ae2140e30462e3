/* Are NumPy's files read exactly or refused with a reason, and written whole? */
#include "arrays/npy.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/convoke-npy-XXXXXX", path[64];

static void make_folder(void) {
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/array.npy", folder);
}

static void remove_folder(void) {
    unlink(path);
    cr_assert_eq(rmdir(folder), 0, "a test, or what it tests, left a file in %s", folder);
}

TestSuite(npy, .init = make_folder, .fini = remove_folder);

static void write_bytes(const void *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

/* A file of that version, header and data. `claimed` is the header's length as the file tells it. */
static void write_npy(int major, const char *header, size_t claimed, const void *data, size_t data_bytes) {
    unsigned char bytes[4096] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)major, 0};
    size_t at = 8, length = strlen(header);
    for (int i = 0; i < (major == 1 ? 2 : 4); i++) bytes[at++] = (unsigned char)(claimed >> 8 * i);
    memcpy(bytes + at, header, length);
    at += length;
    if (data_bytes) memcpy(bytes + at, data, data_bytes);
    write_bytes(bytes, at + data_bytes);
}

/* Reads the file, which must be refused with exactly this message and hint. */
static void expect_refused(const char *name, const char *message, const char *hint) {
    npy_array array;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(npy_read(path, TYPE_F32, false, d, &array), CVK_ERROR_IO, "%s: was not refused", name);
    cr_assert_eq(cvk_diagnostics_count(d), 1, "%s: not one message", name);
    const cvk_diagnostic *said = cvk_diagnostics_get(d, 0);
    cr_assert_str_eq(said->message, message, "%s: %s", name, said->message);
    cr_assert_str_eq(said->hint, hint, "%s: %s", name, said->hint);
    cr_assert_str_eq(said->file, path);
    cr_assert_null(array.data, "%s: a refused array has data", name);
    cvk_diagnostics_free(d);
}

static const float *floats(const npy_array *array) { return array->data; }

static void write_array(int rank, const int64_t *shape, float *data) {
    npy_array array = {.rank = rank, .elements = 1, .data = data};
    for (int i = 0; i < rank; i++) array.elements *= array.shape[i] = shape[i];
    cr_assert_eq(npy_write(path, NULL, &array), CVK_OK);
}

Test(npy, an_array_comes_back_bit_for_bit) {
    float data[5 * CHAR_BIT * 512];
    uint32_t bits = 1;
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        bits = bits * 1664525u + 1013904223u; /* any bits: NaN payloads, infinities and denormals among them */
        memcpy(&data[i], &bits, sizeof bits);
    }
    static const struct {
        int rank;
        int64_t shape[8];
    } cases[] = {{0, {0}},
                 {1, {1}},
                 {1, {0}},
                 {1, {20480}},
                 {2, {3, 4}},
                 {5, {2, 3, 4, 5, 6}},
                 {3, {7, 0, 2}},
                 {4, {1, 1, 17, 33}},
                 {8, {1, 2, 1, 2, 1, 2, 1, 2}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        npy_array array;
        write_array(cases[c].rank, cases[c].shape, data);
        cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_OK, "case %zu", c);
        cr_assert_eq(array.rank, cases[c].rank, "case %zu", c);
        cr_assert_eq(memcmp(array.shape, cases[c].shape, (size_t)array.rank * sizeof *array.shape), 0, "case %zu", c);
        cr_assert_eq(memcmp(array.data, data, (size_t)array.elements * sizeof *data), 0, "case %zu", c);
        npy_free(&array);
    }
}

#define CONVERT_HINT "--convert rounds, as array.astype('<f4') does"
#define PADDED(descr, shape, spaces) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }" spaces "\n"
#define HEAD(descr, shape) PADDED(descr, shape, "")

Test(npy, a_file_is_what_numpy_writes) {
    write_array(2, (const int64_t[]){3, 4}, (float[12]){1});
    unsigned char bytes[256];
    FILE *file = fopen(path, "rb");
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), 128 + 12 * 4);
    fclose(file);
    cr_assert_eq(
        memcmp(bytes,
               "\x93NUMPY\x01\x00\x76\x00" PADDED(
                   "<f4", "(3, 4)", "                                                          ") "\x00\x00\x80\x3f",
               132),
        0);
}

Test(npy, every_type_becomes_float) {
    static const struct {
        const char *header;
        const char *bytes;
        size_t n;
        float expected[2];
    } cases[] = {
        {HEAD("<f4", "(2,)"), "\0\0\x80\x3f\0\0\x20\xc0", 8, {1, -2.5f}},
        {HEAD("<f2", "(2,)"), "\x01\x80\xff\x7b", 4, {-0x1p-24f, 65504}},
        {HEAD("<f2", "(2,)"), "\xff\x03\x00\x04", 4, {0x3ffp-24f, 0x1p-14f}},
        {HEAD("<f2", "(2,)"), "\x00\xfc\x55\x35", 4, {-INFINITY, 0x555p-12f}},
        {HEAD("<f8", "(2,)"), "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x4\xc0", 16, {1, -2.5f}},
        {HEAD("<f8", "(2,)"), "\0\0\0\0\0\0\xf0\x7f\0\0\0\0\0\0\xa0\x36", 16, {INFINITY, 0x1p-149f}},
        {HEAD("<u2", "(2,)"), "\0\x80\xff\xff", 4, {32768, 65535}},
        {HEAD("<u4", "(2,)"), "\0\0\0\x80\0\xff\xff\xff", 8, {0x1p31f, 0xffffffp8f}},
        {HEAD("<u8", "(2,)"), "\0\0\0\0\0\0\0\x80\0\0\0\0\0\xff\xff\xff", 16, {0x1p63f, 0xffffffp40f}},
        {HEAD("|i1", "(2,)"), "\x80\x7f", 2, {-128, 127}},
        {HEAD("|u1", "(2,)"), "\x80\xff", 2, {128, 255}},
        {HEAD("<i2", "(2,)"), "\0\x80\xff\x7f", 4, {-32768, 32767}},
        {HEAD("<i4", "(2,)"), "\0\0\0\x80\0\0\0\x01", 8, {-2147483648.0f, 16777216}},
        {HEAD("<i8", "(2,)"), "\0\0\0\0\0\0\0\x80\xff\xff\xff\xff\xff\xff\xff\xff", 16, {-0x1p63f, -1}},
        {HEAD(">f4", "(2,)"), "\x3f\x80\0\0\xc0\x20\0\0", 8, {1, -2.5f}},
        {HEAD(">f2", "(2,)"), "\x80\x01\x7b\xff", 4, {-0x1p-24f, 65504}},
        {HEAD(">f8", "(2,)"), "\x3f\xf0\0\0\0\0\0\0\xc0\x04\0\0\0\0\0\0", 16, {1, -2.5f}},
        {HEAD(">i2", "(2,)"), "\x80\0\x7f\xff", 4, {-32768, 32767}},
        {HEAD(">u4", "(2,)"), "\x80\0\0\0\xff\xff\xff\0", 8, {0x1p31f, 0xffffffp8f}},
        {"{'shape': (2,), 'fortran_order': False, 'descr': '<f4'}", "\0\0\x80\x3f\0\0\0\0", 8, {1, 0}},
        {"{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(2,)}", "\0\0\x80\x3f\0\0\0\0", 8, {1, 0}},
        {"  { 'descr' :\t'<f4' , 'fortran_order' : False , 'shape' : ( 2 , 1 , ) , }  \n",
         "\0\0\x80\x3f\0\0\0\0",
         8,
         {1, 0}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int major = 1; major <= 3; major++) {
            npy_array array;
            write_npy(major, cases[c].header, strlen(cases[c].header), cases[c].bytes, cases[c].n);
            cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_OK, "case %zu, version %d", c, major);
            cr_assert_eq(array.elements, 2, "case %zu", c);
            for (int i = 0; i < 2; i++)
                cr_assert(floats(&array)[i] == cases[c].expected[i], "case %zu, version %d: element %d", c, major, i);
            npy_free(&array);
        }
}

Test(npy, an_array_in_the_order_of_fortran_is_read_into_that_of_c) {
    const char header[] = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2)}";
    unsigned char bytes[12];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++) bytes[i + 2 * j + 6 * k] = (unsigned char)(100 * i + 10 * j + k);
    npy_array array;
    write_npy(1, header, strlen(header), (const char *)bytes, sizeof bytes);
    cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_OK);
    for (int e = 0; e < 12; e++)
        cr_assert_eq((int)floats(&array)[e], 100 * (e / 6) + 10 * (e / 2 % 3) + e % 2, "element %d", e);
    npy_free(&array);
}

Test(npy, of_an_array_in_the_order_of_fortran_an_element_is_named_by_its_indices) {
    const char header[] = "{'descr': '>f8', 'fortran_order': True, 'shape': (1, 2)}";
    write_npy(1, header, strlen(header), "\x3f\xf0\0\0\0\0\0\0\x3f\xb9\x99\x99\x99\x99\x99\x9a", 16);
    expect_refused(header, "element [0, 1] is 0.10000000000000001, to which no f32 is equal", CONVERT_HINT);
}

#define HEADER_HINT "numpy.save writes one"
#define KNOWN "f2, f4, f8, bfloat16, i1, u1, i2, u2, i4, u4, i8, u8"
#define TYPES_HINT "save array.astype('<f4')"

Test(npy, a_bad_header_is_refused_with_its_reason) {
    static const struct {
        const char *header, *message, *hint;
    } cases[] = {
        {"", "bad .npy header: it is not a dictionary", HEADER_HINT},
        {"\n", "bad .npy header: it is not a dictionary", HEADER_HINT},
        {"[]", "bad .npy header: it is not a dictionary", HEADER_HINT},
        {"{", "bad .npy header: a key is not one of descr, fortran_order, shape", HEADER_HINT},
        {"{}", "bad .npy header: a key is missing", HEADER_HINT},
        {"{'descr': '<f4', 'shape': (2,)}", "bad .npy header: a key is missing", HEADER_HINT},
        {"{'descr': '<f4', 'fortran_order': False}", "bad .npy header: a key is missing", HEADER_HINT},
        {"{'fortran_order': False, 'shape': (2,)}", "bad .npy header: a key is missing", HEADER_HINT},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: a key is given twice", HEADER_HINT},
        {"{'descr': '<f4', 'order': False, 'shape': (2,)}",
         "bad .npy header: a key is not one of descr, fortran_order, shape", HEADER_HINT},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: a key is not one of descr, fortran_order, shape", HEADER_HINT},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", "bad .npy header: a key has no value", HEADER_HINT},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "bad .npy header: it is not a dictionary",
         HEADER_HINT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "bad .npy header: it is not a dictionary",
         HEADER_HINT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
         "bad .npy header: something follows the dictionary", HEADER_HINT},
        {"{'descr': '<f4", "bad .npy header: descr is not the name of a number type", HEADER_HINT},
        {"{'descr': '<f4\", 'fortran_order': False, 'shape': (2,)}", "bad .npy header: it is not a dictionary",
         HEADER_HINT},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: the type of an element is structured", "save one of its fields, array['name']"},
        {"{'descr': '<f4444444444444444', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: descr is not the name of a number type", HEADER_HINT},
        {"{'descr': '<\\x664', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: descr is not the name of a number type", HEADER_HINT},
        {"{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}",
         "bad .npy header: fortran_order is neither True nor False", HEADER_HINT},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
         "bad .npy header: fortran_order is neither True nor False", HEADER_HINT},
        {HEAD("<f4", "2"), "bad .npy header: shape is not a tuple", HEADER_HINT},
        {HEAD("<f4", "(2)"), "bad .npy header: shape is not a tuple", HEADER_HINT},
        {HEAD("<f4", "[2]"), "bad .npy header: shape is not a tuple", HEADER_HINT},
        {HEAD("<f4", "(2,"), "bad .npy header: shape has a size that is not a whole number", HEADER_HINT},
        {HEAD("<f4", "(2 1)"), "bad .npy header: shape is not a tuple of sizes", HEADER_HINT},
        {HEAD("<f4", "(,)"), "bad .npy header: shape has a size that is not a whole number", HEADER_HINT},
        {HEAD("<f4", "(-2,)"), "bad .npy header: shape has a size that is not a whole number", HEADER_HINT},
        {HEAD("<f4", "(02,)"), "bad .npy header: shape has a size that is not a whole number", HEADER_HINT},
        {HEAD("<f4", "(2L,)"), "bad .npy header: shape is not a tuple of sizes", HEADER_HINT},
        {HEAD("<f4", "(9223372036854775808,)"), "bad .npy header: shape has a size that is not a whole number",
         HEADER_HINT},
        {HEAD("<f4", "(1,1,1,1,1,1,1,1,2)"), "bad .npy header: shape has more than 8 dimensions", HEADER_HINT},
        {HEAD("<f4", "(4294967296, 4294967296)"), "the array is larger than any file", ""},
        {HEAD("<f4", "(4611686018427387904,)"), "the array is larger than any file", ""},
        {HEAD("<f4", "(3,)"), "the array takes 12 bytes, but 8 follow the header", ""},
        {HEAD("<f4", "(1,)"), "the array takes 4 bytes, but 8 follow the header", ""},
        {HEAD("<f4", "(1000000000000,)"), "the array takes 4000000000000 bytes, but 8 follow the header", ""},
        {HEAD(">f16", "(2,)"), "the type \">f16\" is none of " KNOWN, TYPES_HINT},
        {HEAD(">u1", "(8,)"), "the type \">u1\" is none of " KNOWN, TYPES_HINT},
        {HEAD(">i8", "()"), "element [] is 16777343, to which no f32 is equal", CONVERT_HINT},
        {HEAD("<f16", "(2,)"), "the type \"<f16\" is none of " KNOWN, TYPES_HINT},
        {HEAD("<c8", "(1,)"), "the type \"<c8\" is none of " KNOWN, TYPES_HINT},
        {HEAD("|b1", "(8,)"), "the type \"|b1\" is none of " KNOWN, TYPES_HINT},
        {HEAD("|S8", "(1,)"), "the type \"|S8\" is none of " KNOWN, TYPES_HINT},
        {HEAD("<U2", "(1,)"), "the type \"<U2\" is none of " KNOWN, TYPES_HINT},
        {HEAD("<M8[s]", "(1,)"), "the type \"<M8[s]\" is none of " KNOWN, TYPES_HINT},
        {HEAD("f4", "(2,)"), "the type \"f4\" is none of " KNOWN, TYPES_HINT},
        {HEAD("=f4", "(2,)"), "the type \"=f4\" is none of " KNOWN, TYPES_HINT},
        {HEAD("|O", "(2,)"), "the type \"|O\" is none of " KNOWN, TYPES_HINT},
        {HEAD("", "(2,)"), "the type \"\" is none of " KNOWN, TYPES_HINT},
        {HEAD("<i8", "()"), "element [] is 9151314447111815168, to which no f32 is equal", CONVERT_HINT},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        write_npy(1, cases[c].header, strlen(cases[c].header), "\0\0\0\0\x01\0\0\x7f", 8);
        expect_refused(cases[c].header, cases[c].message, cases[c].hint);
    }
}

/* A number of two in an array of shape [2, 1] that a float is not equal to, and the nearest float. */
static const struct {
    const char *descr, *bytes;
    size_t n;
    const char *shown;
    float nearest;
} inexact[] = {
    {"<f8", "\x9a\x99\x99\x99\x99\x99\xb9\x3f", 8, "0.10000000000000001", 0.1f},
    {"<f8", "\0\0\0\x10\0\0\xf0\xbf", 8, "-1.0000000596046448", -1},
    {"<f8", "\0\0\0\x30\0\0\xf0\x3f", 8, "1.0000001788139343", 0x1.000004p0f},
    {"<f8", "\0\0\0\0\0\0\x90\x36", 8, "7.0064923216240854e-46", 0},
    {"<f8", "\1\0\0\0\0\0\0\0", 8, "4.9406564584124654e-324", 0},
    {"<f8", "\xff\xff\xff\xef\xff\xff\xef\x47", 8, "3.4028235677973362e+38", 0x1.fffffep127f},
    {"<i4", "\1\0\0\1", 4, "16777217", 16777216},
    {"<i4", "\xff\xff\xff\x7f", 4, "2147483647", 0x1p31f},
    {"<u4", "\xff\xff\xff\xff", 4, "4294967295", 0x1p32f},
    {"<i8", "\xff\xff\xff\xff\xff\xff\xff\x7f", 8, "9223372036854775807", 0x1p63f},
    {"<i8", "\1\0\0\0\0\0\0\x80", 8, "-9223372036854775807", -0x1p63f},
    {"<u8", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615", 0x1p64f},
};

Test(npy, numbers_that_no_float_is_equal_to_are_refused_or_rounded_as_asked) {
    for (size_t c = 0; c < sizeof inexact / sizeof *inexact; c++) {
        char header[128], message[128], data[16] = {0};
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 1), }\n",
                 inexact[c].descr);
        snprintf(message, sizeof message, "element [1, 0] is %s, to which no f32 is equal", inexact[c].shown);
        memcpy(data + inexact[c].n, inexact[c].bytes, inexact[c].n);
        write_npy(1, header, strlen(header), data, 2 * inexact[c].n);
        expect_refused(inexact[c].shown, message, CONVERT_HINT);
        npy_array array;
        cr_assert_eq(npy_read(path, TYPE_F32, true, NULL, &array), CVK_OK, "%s", inexact[c].shown);
        cr_assert(floats(&array)[0] == 0 && floats(&array)[1] == inexact[c].nearest, "%s became %a", inexact[c].shown,
                  (double)floats(&array)[1]);
        npy_free(&array);
    }
}

Test(npy, a_number_beyond_the_largest_float_is_refused_even_where_numbers_are_rounded) {
    static const char header[] = HEAD("<f8", "(1,)");
    static const char *const beyond[] = {"\0\0\0\xf0\xff\xff\xef\x47", "\xff\xff\xff\xff\xff\xff\xef\xff"};
    for (size_t c = 0; c < 2; c++)
        for (int convert = 0; convert < 2; convert++) {
            npy_array array;
            cvk_diagnostics *d = cvk_diagnostics_new();
            write_npy(1, header, strlen(header), beyond[c], 8);
            cr_assert_eq(npy_read(path, TYPE_F32, convert, d, &array), CVK_ERROR_IO);
            cr_assert(strstr(cvk_diagnostics_get(d, 0)->message, "beyond the largest f32"), "%s",
                      cvk_diagnostics_get(d, 0)->message);
            cvk_diagnostics_free(d);
        }
}

Test(npy, arrays_of_f64_hold_every_double_and_refuse_or_round_other_integers) {
    static double data[] = {0.1, 0x1p-1074, -0x1.fffffffffffffp1023, INFINITY, -0.0, NAN};
    npy_array array = {.type = TYPE_F64, .rank = 1, .shape = {6}, .elements = 6, .data = data};
    cr_assert_eq(npy_write(path, NULL, &array), CVK_OK);
    cr_assert_eq(npy_read(path, TYPE_F64, false, NULL, &array), CVK_OK);
    cr_assert(array.type == TYPE_F64 && memcmp(array.data, data, sizeof data) == 0);
    npy_free(&array);
    static const char header[] = HEAD("<u8", "(1,)");
    write_npy(1, header, strlen(header), "\1\0\0\0\0\0\x20\0", 8); /* 2^53 + 1 */
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(npy_read(path, TYPE_F64, false, d, &array), CVK_ERROR_IO);
    cr_assert_str_eq(cvk_diagnostics_get(d, 0)->message, "element [0] is 9007199254740993, to which no f64 is equal");
    cr_assert_str_eq(cvk_diagnostics_get(d, 0)->hint, "--convert rounds, as array.astype('<f8') does");
    cr_assert_eq(npy_read(path, TYPE_F64, true, d, &array), CVK_OK);
    cr_assert(*(const double *)array.data == 0x1p53);
    npy_free(&array);
    cvk_diagnostics_free(d);
}

/* Every pattern of a half, read as one, and written. */
static void keep_halves(cvk_type type, const char *header) {
    static unsigned char bytes[512 + 2 * 65536];
    static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    const size_t length = strlen(header), head = sizeof magic + 2 + length;
    memcpy(bytes, magic, sizeof magic);
    bytes[8] = (unsigned char)length, bytes[9] = 0;
    memcpy(bytes + 10, header, length);
    for (unsigned bits = 0; bits < 65536; bits++) memcpy(bytes + head + 2 * bits, &(uint16_t){(uint16_t)bits}, 2);
    write_bytes(bytes, head + 2 * 65536);
    for (int again = 0; again < 2; again++) {
        npy_array array;
        cr_assert_eq(npy_read(path, type, false, NULL, &array), CVK_OK, "%s", header);
        for (unsigned bits = 0; bits < 65536; bits++)
            cr_assert_eq(((const uint16_t *)array.data)[bits], bits, "%s: %x", header, bits);
        cr_assert_eq(npy_write(path, NULL, &array), CVK_OK);
        npy_free(&array);
    }
}

Test(npy, halves_keep_their_bits) {
    keep_halves(TYPE_F16, HEAD("<f2", "(65536,)"));
    keep_halves(TYPE_BF16, HEAD("<V2", "(65536,)"));
    keep_halves(TYPE_BF16, HEAD("|V2", "(65536,)"));
    keep_halves(TYPE_BF16, HEAD("bfloat16", "(65536,)"));
}

Test(npy, other_numbers_become_halves_where_one_is_equal_or_the_nearest_where_told_to) {
    static const struct {
        const char *header, *bytes;
        size_t n;
        cvk_type type;
        const char *message; /* NULL: it is equal */
        unsigned expected;
    } cases[] = {
        {HEAD("<f4", "(1,)"), "\0\0\x80\xbf", 4, TYPE_BF16, NULL, 0xbf80},
        {HEAD("<f4", "(1,)"), "\0\x80\x80\x3f", 4, TYPE_BF16, "element [0] is 1.00390625, to which no bf16 is equal",
         0x3f80},
        {HEAD("<f4", "(1,)"), "\1\x80\x80\x3f", 4, TYPE_BF16,
         "element [0] is 1.0039063692092896, to which no bf16 is equal", 0x3f81},
        {HEAD("<f2", "(1,)"), "\xff\x7b", 2, TYPE_BF16, "element [0] is 65504, to which no bf16 is equal", 0x4780},
        {HEAD("<V2", "(1,)"), "\x80\x3f", 2, TYPE_F16, NULL, 0x3c00},
        {HEAD("<V2", "(1,)"), "\x80\x47", 2, TYPE_F16, "element [0] is 65536, beyond the largest f16", 0},
        {HEAD("<u2", "(1,)"), "\1\1", 2, TYPE_BF16, "element [0] is 257, to which no bf16 is equal", 0x4380},
        {HEAD("<i4", "(1,)"), "\1\x08\0\0", 4, TYPE_F16, "element [0] is 2049, to which no f16 is equal", 0x6800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        npy_array array;
        cvk_diagnostics *d = cvk_diagnostics_new();
        write_npy(1, cases[i].header, strlen(cases[i].header), cases[i].bytes, cases[i].n);
        cvk_status status = npy_read(path, cases[i].type, false, d, &array);
        cr_expect_eq(status, cases[i].message ? CVK_ERROR_IO : CVK_OK, "case %zu", i);
        if (cases[i].message) cr_expect_str_eq(cvk_diagnostics_get(d, 0)->message, cases[i].message);
        npy_free(&array);
        status = npy_read(path, cases[i].type, true, NULL, &array);
        cr_expect_eq(status, cases[i].expected ? CVK_OK : CVK_ERROR_IO, "case %zu", i);
        if (status == CVK_OK) cr_expect_eq(*(const uint16_t *)array.data, cases[i].expected, "case %zu", i);
        npy_free(&array);
        cvk_diagnostics_free(d);
    }
}

Test(npy, every_half_is_the_float_it_is) {
    static const char header[] = HEAD("<f2", "(65536,)");
    static unsigned char bytes[10 + sizeof header - 1 + 2 * 65536] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header - 1};
    memcpy(bytes + 10, header, sizeof header - 1);
    for (unsigned bits = 0, at = 10 + sizeof header - 1; bits < 65536; bits++) {
        bytes[at++] = bits & 255;
        bytes[at++] = (unsigned char)(bits >> 8);
    }
    npy_array array;
    write_bytes(bytes, sizeof bytes);
    cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_OK);
    for (unsigned bits = 0; bits < 65536; bits++) {
        unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
        double magnitude = exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);
        double x = (double)floats(&array)[bits], y = bits >> 15 ? -magnitude : magnitude;
        if (exponent == 31)
            cr_assert(fraction ? isnan(x) : isinf(x) && (x < 0) == bits >> 15, "%x", bits);
        else
            cr_assert(x == y && !signbit(x) == !signbit(y), "%x: %a, not %a", bits, x, y);
    }
    npy_free(&array);
}

/* CVK_SEED and CVK_CASES in the environment choose other files, CVK_CASE a single one. */
static unsigned long from_environment(const char *name, unsigned long fallback) {
    return getenv(name) ? strtoul(getenv(name), NULL, 10) : fallback;
}

static uint32_t draw(uint64_t *state, uint32_t below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

/* A file that is sound but for a few bytes changed, left out, or put in, in the header more often than not. */
static size_t damaged_file(uint64_t *state, unsigned char *bytes) {
    static const char *const heads[] = {HEAD("<f4", "(2, 2)"), HEAD("<f8", "(2,)"), HEAD("<f2", "(1, 8)"),
                                        HEAD("|u1", "(16,)"), HEAD("<i8", "(2, 1, 1)")};
    static const char likely[] = "(),{}[]'\":<>=|-0123456789fiuLe \n\\\xff";
    const char *head = heads[draw(state, 5)];
    unsigned char start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)strlen(head), 0};
    memcpy(bytes, start, sizeof start);
    size_t size = sizeof start + strlen(head), headed = size;
    memcpy(bytes + sizeof start, head, strlen(head));
    memset(bytes + size, 0x3f, 16);
    size += 16;
    for (uint32_t changes = 1 + draw(state, 4); changes > 0; changes--) {
        size_t at = draw(state, (uint32_t)(draw(state, 4) ? headed : size));
        unsigned char byte =
            (unsigned char)(draw(state, 3) ? (uint32_t)likely[draw(state, sizeof likely)] : draw(state, 256));
        switch (draw(state, 4)) {
        case 0: memmove(bytes + at, bytes + at + 1, --size - at); break;
        case 1: memmove(bytes + at + 1, bytes + at, size++ - at); /* fall through */
        default: bytes[at] = byte;
        }
        if (at >= size) size = at + 1;
    }
    return size;
}

static void read_damaged(const char *repeat) {
    npy_array array;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = npy_read(path, TYPE_F32, false, d, &array);
    if (status == CVK_OK) {
        int64_t elements = 1;
        for (int i = 0; i < array.rank; i++) elements *= array.shape[i];
        cr_assert(elements == array.elements && elements <= 64, "%s", repeat);
        cr_assert(array.data && cvk_diagnostics_count(d) == 0, "%s", repeat);
    } else {
        cr_assert(status == CVK_ERROR_IO && cvk_diagnostics_count(d) == 1 && !array.data, "%s", repeat);
    }
    npy_free(&array);
    cvk_diagnostics_free(d);
}

Test(npy, a_damaged_file_is_read_or_refused_and_nothing_else) {
    unsigned long seed = from_environment("CVK_SEED", 1), cases = from_environment("CVK_CASES", 2000);
    unsigned long first = from_environment("CVK_CASE", 0), last = getenv("CVK_CASE") ? first + 1 : cases;
    for (unsigned long i = first; i < last; i++) {
        unsigned char bytes[256];
        uint64_t state = seed * 0x9E3779B97F4A7C15u + i;
        char repeat[128];
        snprintf(repeat, sizeof repeat, "repeat by CVK_SEED=%lu CVK_CASE=%lu test_npy --filter '*damaged*'", seed, i);
        write_bytes(bytes, damaged_file(&state, bytes));
        read_damaged(repeat);
    }
}

Test(npy, a_file_that_is_cut_short_anywhere_is_refused) {
    static const char header[] = HEAD("<f4", "(2,)");
    write_npy(1, header, strlen(header), "\0\0\0\0\0\0\0\0", 8);
    struct stat info;
    cr_assert_eq(stat(path, &info), 0);
    for (off_t size = info.st_size - 1; size >= 0; size--) {
        npy_array array;
        cr_assert_eq(truncate(path, size), 0);
        cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_ERROR_IO, "a file of %lld bytes was read",
                     (long long)size);
    }
}

Test(npy, what_is_no_npy_file_is_refused) {
    write_bytes("PK\3\4 a zip, as .npz is", 22);
    expect_refused("zip", "this is not a .npy file", "numpy.save writes one");
    write_npy(4, "{}", 2, NULL, 0);
    expect_refused("version 4", "this version of .npy is not known", "numpy.save writes 1.0 to 3.0");
    write_npy(2, "{}", 65537, NULL, 0);
    expect_refused("long header", "the .npy header is longer than 65536 bytes", "");
    write_npy(1, "{}", 3, NULL, 0);
    expect_refused("header past the end", "the .npy file ends within its header", "");
    unlink(path);
    expect_refused("no file", "No such file or directory", "");
    npy_array array;
    cr_assert_eq(npy_read(folder, TYPE_F32, false, NULL, &array), CVK_ERROR_IO, "a folder was read");
}

static int files_in_folder(void) {
    DIR *listing = opendir(folder);
    int n = 0;
    while (readdir(listing)) n++;
    closedir(listing);
    return n - 2; /* . and .. */
}

Test(npy, a_write_that_fails_leaves_nothing_and_changes_nothing) {
    npy_array array = {.rank = 1, .shape = {1}, .elements = 1, .data = (float[]){1}};
    char nowhere[96];
    snprintf(nowhere, sizeof nowhere, "%s/missing/array.npy", folder);
    cr_assert_eq(npy_write(nowhere, NULL, &array), CVK_ERROR_IO);
    cr_assert_eq(mkdir(path, 0777), 0); /* a folder cannot be replaced by a file */
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(npy_write(path, d, &array), CVK_ERROR_IO);
    cr_assert_str_eq(cvk_diagnostics_get(d, 0)->message, "cannot be written: Is a directory");
    cvk_diagnostics_free(d);
    cr_assert_eq(files_in_folder(), 1, "a temporary file was left");
    cr_assert_eq(rmdir(path), 0);
}

Test(npy, a_write_replaces_the_old_file) {
    npy_array array;
    write_array(1, (const int64_t[]){2}, (float[]){1, 2});
    write_array(1, (const int64_t[]){1}, (float[]){3});
    cr_assert_eq(npy_read(path, TYPE_F32, false, NULL, &array), CVK_OK);
    cr_assert(array.elements == 1 && floats(&array)[0] == 3);
    cr_assert_eq(files_in_folder(), 1);
    npy_free(&array);
}
