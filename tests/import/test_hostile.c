/* Files that somebody damaged, by chance or on purpose: an import makes sound layers of them, or says why not.
 * Sanitizers see to the rest. CVK_SEED and CVK_CASES in the environment choose others. */
#include "import/import.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16 };

static uint64_t state;

/* splitmix64 */
static uint64_t draw(uint64_t below) {
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static size_t read_model(const char *name, unsigned char *to) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    size_t size = fread(to, 1, MOST, file);
    fclose(file);
    return size;
}

static void flip(unsigned char *bytes, size_t *size) { bytes[draw(*size)] ^= (unsigned char)(1u << draw(8)); }
static void set(unsigned char *bytes, size_t *size) { bytes[draw(*size)] = (unsigned char)draw(256); }
static void cut(unsigned char *bytes, size_t *size) { (void)bytes, *size = 1 + draw(*size); }

/* A piece over another, as long as it is. */
static void copy(unsigned char *bytes, size_t *size) {
    const size_t length = 1 + draw(*size < 32 ? *size : 32);
    if (length < *size) memmove(bytes + draw(*size - length), bytes + draw(*size - length), length);
}

static void (*const harms[])(unsigned char *bytes, size_t *size) = {flip, set, set, cut, copy};

/* A network that was written can be read, and has as many outputs as the model. */
static void read_back(arena *a, const imported *made) {
    cvk_network *network = NULL;
    text words = text_new(a);
    cvk_diagnostics *d = cvk_diagnostics_new();
    import_print("damaged", &made->layers, &words);
    const cvk_status status = cvk_network_parse(words.bytes, words.length, "damaged", d, &network);
    const cvk_diagnostic *said = cvk_diagnostics_get(d, 0);
    cr_assert(status == CVK_OK || status == CVK_ERROR_UNSUPPORTED, "%s\n%s", said ? said->message : "", words.bytes);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
}

/* Whether anything was made of it. */
static bool import_damaged(const import_format *format, const unsigned char *bytes, size_t size) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    cvk_diagnostics *d = cvk_diagnostics_new();
    imported made = {0};
    const cvk_status status = format->read(&a, &(import_source){"damaged", bytes, size, NULL, 0}, d, &made);
    cr_assert_eq(status == CVK_OK, cvk_diagnostics_count(d) == 0);
    for (size_t i = 0; status == CVK_OK && i < made.layers.count; i++) {
        cvk_spec again = made.layers.layer[i]->spec;
        const char *why = import_refusal(&a, &again);
        cr_assert(!why, "layer %s: %s", again.name, why);
    }
    if (status == CVK_OK && (made.layers.count || made.layers.network.whole)) read_back(&a, &made);
    cvk_diagnostics_free(d);
    arena_free(&a);
    return status == CVK_OK;
}

static void damage(const char *name, const char *word, const char *test) {
    const char *seed = getenv("CVK_SEED"), *cases = getenv("CVK_CASES");
    static unsigned char whole[MOST], bytes[MOST];
    const size_t size = read_model(name, whole);
    const import_format *format = import_row(0);
    for (int i = 0; strcmp(format->word, word) != 0; i++) format = import_row(i + 1);
    state = seed ? strtoull(seed, NULL, 10) : 1;
    printf("again: CVK_SEED=%llu test_import_hostile --filter 'hostile/%s'\n", (unsigned long long)state, test);
    const long count = cases ? atol(cases) : 20000;
    long read = 0;
    for (long i = 0; i < count; i++) {
        size_t left = size;
        memcpy(bytes, whole, size);
        for (uint64_t n = 1 + draw(4); n > 0; n--) harms[draw(sizeof harms / sizeof *harms)](bytes, &left);
        read += import_damaged(format, bytes, left);
    }
    printf("%ld of %ld could still be read\n", read, count);
    cr_assert_gt(read, count / 20);
}

Test(hostile, onnx) { damage("net.onnx", "onnx", "onnx"); }
Test(hostile, branches) { damage("branches.onnx", "onnx", "branches"); }
Test(hostile, parts) { damage("parts.onnx", "onnx", "parts"); }
Test(hostile, borders) { damage("borders.onnx", "onnx", "borders"); }
Test(hostile, bytes) { damage("bytes.onnx", "onnx", "bytes"); }
Test(hostile, benchdnn) { damage("list", "benchdnn", "benchdnn"); }
