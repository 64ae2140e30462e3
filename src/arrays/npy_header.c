/* Parses the header of a .npy file: a dictionary literal with exactly the three keys, in any order. It accepts what
 * NumPy writes, with any amount of white space, and none of the rest of Python. */
#include "arrays/npy_header.h"

#include <string.h>

typedef struct cursor {
    const char *at, *end;
} cursor;

enum { KEY_DESCR, KEY_FORTRAN_ORDER, KEY_SHAPE, KEYS };
static const char *const key_names[KEYS] = {"descr", "fortran_order", "shape"};

static void skip_space(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

static bool take(cursor *c, char wanted) {
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word) {
    size_t length = strlen(word);
    skip_space(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

/* A string in quotes of either kind, without escapes. */
static bool take_string(cursor *c, char *to, size_t size) {
    char quote = take(c, '\'') ? '\'' : '"';
    if (quote == '"' && !take(c, '"')) return false;
    size_t length = 0;
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\' || length + 1 == size) return false;
        to[length++] = *c->at;
    }
    to[length] = '\0';
    return take(c, quote);
}

static bool take_size(cursor *c, int64_t *size) {
    skip_space(c);
    const char *begin = c->at;
    int64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *c->at - '0', &value))
            return false;
    *size = value;
    return c->at > begin && (*begin != '0' || c->at == begin + 1);
}

/* () or (3,) or (3, 4) or (3, 4,). */
static const char *parse_shape(cursor *c, npy_header *h) {
    if (!take(c, '(')) return "shape is not a tuple";
    bool comma = true;
    while (!take(c, ')')) {
        if (!comma) return "shape is not a tuple of sizes";
        if (h->rank == NPY_MOST_DIMENSIONS) return "shape has more than 8 dimensions";
        if (!take_size(c, &h->shape[h->rank++])) return "shape has a size that is not a whole number";
        comma = take(c, ',');
    }
    return h->rank == 1 && !comma ? "shape is not a tuple" : NULL;
}

static const char *parse_descr(cursor *c, npy_header *h) {
    h->structured = take(c, '[');
    if (h->structured) return "the type of an element is structured";
    return take_string(c, h->descr, sizeof h->descr) ? NULL : "descr is not the name of a number type";
}

static const char *parse_value(cursor *c, int key, npy_header *h) {
    switch (key) {
    case KEY_DESCR: return parse_descr(c, h);
    case KEY_SHAPE: return parse_shape(c, h);
    default:
        h->fortran_order = take_word(c, "True");
        return h->fortran_order || take_word(c, "False") ? NULL : "fortran_order is neither True nor False";
    }
}

static const char *parse_entry(cursor *c, npy_header *h, bool seen[KEYS]) {
    char name[16];
    if (!take_string(c, name, sizeof name)) return "a key is not one of descr, fortran_order, shape";
    int key = 0;
    while (key < KEYS && strcmp(name, key_names[key]) != 0) key++;
    if (key == KEYS) return "a key is not one of descr, fortran_order, shape";
    if (seen[key]) return "a key is given twice";
    seen[key] = true;
    return take(c, ':') ? parse_value(c, key, h) : "a key has no value";
}

const char *npy_header_parse(const char *text, size_t length, npy_header *header) {
    cursor c = {text, text + length};
    bool seen[KEYS] = {false}, comma = true;
    *header = (npy_header){.rank = 0};
    if (!take(&c, '{')) return "it is not a dictionary";
    while (!take(&c, '}')) {
        if (!comma) return "it is not a dictionary";
        const char *wrong = parse_entry(&c, header, seen);
        if (wrong) return wrong;
        comma = take(&c, ',');
    }
    skip_space(&c);
    if (c.at != c.end) return "something follows the dictionary";
    if (!seen[KEY_DESCR] || !seen[KEY_FORTRAN_ORDER] || !seen[KEY_SHAPE]) return "a key is missing";
    return NULL;
}
