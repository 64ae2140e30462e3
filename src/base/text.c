/* Text: a string that grows in an arena by doubling, floats printed so that they read back, and words compared for
 * "did you mean". */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, LONGEST_WORD = 64 };

text text_new(arena *a) {
    text t = {.arena = a, .capacity = FIRST_CAPACITY};
    t.bytes = arena_alloc(a, t.capacity);
    return t;
}

/* Makes room for `more` bytes and the NUL after them. */
static void reserve(text *t, size_t more) {
    if (more < t->capacity - t->length) return;
    size_t capacity = t->capacity;
    while (capacity - t->length <= more) capacity *= 2;
    char *bytes = arena_alloc(t->arena, capacity);
    memcpy(bytes, t->bytes, t->length);
    t->bytes = bytes;
    t->capacity = capacity;
}

void text_add_bytes(text *t, const char *bytes, size_t length) {
    reserve(t, length);
    if (length) memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

void text_add(text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length > 0) {
        reserve(t, (size_t)length);
        vsnprintf(t->bytes + t->length, (size_t)length + 1, format, again);
        t->length += (size_t)length;
    }
    va_end(again);
}

/* Fewest digits that read back; integers that print exactly without an exponent do so ("100", not "1e+02").
 * snprintf and strtof agree on the decimal separator whatever the locale, so only what is added must be put right. */
enum { MOST_DIGITS = 48 };

/* What printf wrote, with '.' for whatever the locale has. */
static void add_decimal(text *t, const char *digits) {
    for (const char *c = digits; *c;) {
        size_t plain = strspn(c, "0123456789+-e");
        text_add_bytes(t, c, plain);
        c += plain;
        if (!*c) break;
        text_add_bytes(t, ".", 1);
        c += strcspn(c, "0123456789");
    }
}

/* Whole numbers that have no exponent in either notation, infinities and NaN need no search; true where it was one. */
static bool add_plainly(text *t, double value, double limit) {
    if (!isfinite(value))
        text_add(t, "%g", value);
    else if (fabs(value) < limit && trunc(value) == value)
        text_add(t, "%.0f", value);
    else
        return false;
    return true;
}

void text_add_float(text *t, float value) {
    char digits[MOST_DIGITS];
    if (add_plainly(t, (double)value, 0x1p24)) return;
    for (int precision = 1; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value) break;
    }
    add_decimal(t, digits);
}

void text_add_double(text *t, double value) {
    char digits[MOST_DIGITS];
    if (add_plainly(t, value, 0x1p53)) return;
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    add_decimal(t, digits);
}

static unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

/* Optimal string alignment, one row of the table after another. */
unsigned text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST_WORD || m > LONGEST_WORD) return (unsigned)(n > m ? n : m);
    unsigned rows[3][LONGEST_WORD + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) above[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = smaller(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[m];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n) {
    unsigned nearest = (unsigned)strlen(word) / 3 + 1;
    if (nearest > 4) nearest = 4;
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        unsigned distance = text_distance(word, candidates[i]);
        if (distance >= strlen(candidates[i]) || distance > nearest || (found && distance == nearest)) continue;
        nearest = distance;
        found = candidates[i];
    }
    return found;
}
