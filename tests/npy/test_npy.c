/* Are NumPy's files read exactly or refused with a reason, and written whole? */
#include "cli/npy.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
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
    cr_assert_eq(npy_read(path, d, &array), CVK_ERROR_IO, "%s: was not refused", name);
    cr_assert_eq(cvk_diagnostics_count(d), 1, "%s: not one message", name);
    const cvk_diagnostic *said = cvk_diagnostics_get(d, 0);
    cr_assert_str_eq(said->message, message, "%s: %s", name, said->message);
    cr_assert_str_eq(said->hint, hint, "%s: %s", name, said->hint);
    cr_assert_str_eq(said->file, path);
    cr_assert_null(array.data, "%s: a refused array has data", name);
    cvk_diagnostics_free(d);
}

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
        cr_assert_eq(npy_read(path, NULL, &array), CVK_OK, "case %zu", c);
        cr_assert_eq(array.rank, cases[c].rank, "case %zu", c);
        cr_assert_eq(memcmp(array.shape, cases[c].shape, (size_t)array.rank * sizeof *array.shape), 0, "case %zu", c);
        cr_assert_eq(memcmp(array.data, data, (size_t)array.elements * sizeof *data), 0, "case %zu", c);
        npy_free(&array);
    }
}

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
        {HEAD("<f8", "(2,)"), "\0\0\0\0\0\0\xf0\x3f\x9a\x99\x99\x99\x99\x99\xb9\x3f", 16, {1, 0.1f}},
        {HEAD("|i1", "(2,)"), "\x80\x7f", 2, {-128, 127}},
        {HEAD("|u1", "(2,)"), "\x80\xff", 2, {128, 255}},
        {HEAD("<i2", "(2,)"), "\0\x80\xff\x7f", 4, {-32768, 32767}},
        {HEAD("<i4", "(2,)"), "\0\0\0\x80\0\0\0\x01", 8, {-2147483648.0f, 16777216}},
        {HEAD("<i8", "(2,)"), "\0\0\0\0\0\0\0\x80\xff\xff\xff\xff\xff\xff\xff\xff", 16, {-0x1p63f, -1}},
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
            cr_assert_eq(npy_read(path, NULL, &array), CVK_OK, "case %zu, version %d", c, major);
            cr_assert_eq(array.elements, 2, "case %zu", c);
            for (int i = 0; i < 2; i++)
                cr_assert(array.data[i] == cases[c].expected[i], "case %zu, version %d: element %d", c, major, i);
            npy_free(&array);
        }
}

#define TYPES_HINT "save array.astype('<f4')"

Test(npy, a_bad_header_is_refused_with_its_reason) {
    static const struct {
        const char *header, *message, *hint;
    } cases[] = {
        {"", "bad .npy header: it is not a dictionary", ""},
        {"\n", "bad .npy header: it is not a dictionary", ""},
        {"[]", "bad .npy header: it is not a dictionary", ""},
        {"{", "bad .npy header: a key is not one of descr, fortran_order, shape", ""},
        {"{}", "bad .npy header: a key is missing", ""},
        {"{'descr': '<f4', 'shape': (2,)}", "bad .npy header: a key is missing", ""},
        {"{'descr': '<f4', 'fortran_order': False}", "bad .npy header: a key is missing", ""},
        {"{'fortran_order': False, 'shape': (2,)}", "bad .npy header: a key is missing", ""},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: a key is given twice", ""},
        {"{'descr': '<f4', 'order': False, 'shape': (2,)}",
         "bad .npy header: a key is not one of descr, fortran_order, shape", ""},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: a key is not one of descr, fortran_order, shape", ""},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", "bad .npy header: a key has no value", ""},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "bad .npy header: it is not a dictionary", ""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "bad .npy header: it is not a dictionary", ""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
         "bad .npy header: something follows the dictionary", ""},
        {"{'descr': '<f4", "bad .npy header: descr is not the name of a number type", ""},
        {"{'descr': '<f4\", 'fortran_order': False, 'shape': (2,)}", "bad .npy header: it is not a dictionary", ""},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: descr is not the name of a number type", ""},
        {"{'descr': '<f4444444444444444', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: descr is not the name of a number type", ""},
        {"{'descr': '<\\x664', 'fortran_order': False, 'shape': (2,)}",
         "bad .npy header: descr is not the name of a number type", ""},
        {"{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}",
         "bad .npy header: fortran_order is neither True nor False", ""},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
         "bad .npy header: fortran_order is neither True nor False", ""},
        {HEAD("<f4", "2"), "bad .npy header: shape is not a tuple", ""},
        {HEAD("<f4", "(2)"), "bad .npy header: shape is not a tuple", ""},
        {HEAD("<f4", "[2]"), "bad .npy header: shape is not a tuple", ""},
        {HEAD("<f4", "(2,"), "bad .npy header: shape has a size that is not a whole number", ""},
        {HEAD("<f4", "(2 1)"), "bad .npy header: shape is not a tuple of sizes", ""},
        {HEAD("<f4", "(,)"), "bad .npy header: shape has a size that is not a whole number", ""},
        {HEAD("<f4", "(-2,)"), "bad .npy header: shape has a size that is not a whole number", ""},
        {HEAD("<f4", "(02,)"), "bad .npy header: shape has a size that is not a whole number", ""},
        {HEAD("<f4", "(2L,)"), "bad .npy header: shape is not a tuple of sizes", ""},
        {HEAD("<f4", "(9223372036854775808,)"), "bad .npy header: shape has a size that is not a whole number", ""},
        {HEAD("<f4", "(1,1,1,1,1,1,1,1,2)"), "bad .npy header: shape has more than 8 dimensions", ""},
        {HEAD("<f4", "(4294967296, 4294967296)"), "the array is larger than any file", ""},
        {HEAD("<f4", "(4611686018427387904,)"), "the array is larger than any file", ""},
        {HEAD("<f4", "(3,)"), "the array takes 12 bytes, but 8 follow the header", ""},
        {HEAD("<f4", "(1,)"), "the array takes 4 bytes, but 8 follow the header", ""},
        {HEAD("<f4", "(1000000000000,)"), "the array takes 4000000000000 bytes, but 8 follow the header", ""},
        {HEAD(">f4", "(2,)"), "the array is big-endian", TYPES_HINT},
        {HEAD("<f2", "(2,)"), "the type \"<f2\" is none of f4, f8, i1, u1, i2, i4, i8", TYPES_HINT},
        {HEAD("|O", "(2,)"), "the type \"|O\" is none of f4, f8, i1, u1, i2, i4, i8", TYPES_HINT},
        {HEAD("", "(2,)"), "the type \"\" is none of f4, f8, i1, u1, i2, i4, i8", TYPES_HINT},
        {HEAD("<i8", "(1,)"), "element 0 is an integer that no f32 is equal to", TYPES_HINT},
        {HEAD("<i4", "(2,)"), "element 1 is an integer that no f32 is equal to", TYPES_HINT},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", "the array is in Fortran order",
         "save numpy.ascontiguousarray(array)"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        write_npy(1, cases[c].header, strlen(cases[c].header), "\0\0\0\0\x01\0\0\x7f", 8);
        expect_refused(cases[c].header, cases[c].message, cases[c].hint);
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
        cr_assert_eq(npy_read(path, NULL, &array), CVK_ERROR_IO, "a file of %lld bytes was read", (long long)size);
    }
}

Test(npy, what_is_no_npy_file_is_refused) {
    write_bytes("PK\3\4 a zip, as .npz is", 22);
    expect_refused("zip", "this is not a .npy file", "numpy.save writes one");
    write_npy(4, "{}", 2, NULL, 0);
    expect_refused("version 4", "this version of .npy is not known", "");
    write_npy(2, "{}", 65537, NULL, 0);
    expect_refused("long header", "the .npy header is longer than 65536 bytes", "");
    write_npy(1, "{}", 3, NULL, 0);
    expect_refused("header past the end", "the .npy file ends within its header", "");
    unlink(path);
    expect_refused("no file", "No such file or directory", "");
    npy_array array;
    cr_assert_eq(npy_read(folder, NULL, &array), CVK_ERROR_IO, "a folder was read");
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
    cr_assert_eq(npy_read(path, NULL, &array), CVK_OK);
    cr_assert(array.elements == 1 && array.data[0] == 3);
    cr_assert_eq(files_in_folder(), 1);
    npy_free(&array);
}
