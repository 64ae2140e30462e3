/* Scalars: the grammar of numbers by hand, their values by strtod in the C locale. */
#define _GNU_SOURCE /* strtod_l */
#include "spec/scalar.h"
#include "spec/report.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_digits(const char *c) {
    while (*c >= '0' && *c <= '9') c++;
    return c;
}

/* The end of `-?(0|[1-9][0-9]*)` at `c`, or NULL. */
static const char *skip_integer(const char *c) {
    if (*c == '-') c++;
    if (*c == '0') return c + 1;
    return *c >= '1' && *c <= '9' ? skip_digits(c) : NULL;
}

static bool is_integer(const char *c) {
    const char *end = skip_integer(c);
    return end && !*end && strcmp(c, "-0") != 0;
}

static bool is_decimal(const char *c) {
    c = skip_integer(c);
    if (c && *c == '.') c = c[1] >= '0' && c[1] <= '9' ? skip_digits(c + 1) : NULL;
    if (c && (*c == 'e' || *c == 'E')) {
        c += c[1] == '+' || c[1] == '-' ? 2 : 1;
        c = *c >= '0' && *c <= '9' ? skip_digits(c) : NULL;
    }
    return c && !*c;
}

bool scalar_integer(const node *n, int64_t *value) {
    if (n->kind != NODE_SCALAR || n->quoted || !is_integer(n->text)) return false;
    *value = strtoll(n->text, NULL, 10);
    return true;
}

bool scalar_float(const node *n, double *value) {
    if (n->kind != NODE_SCALAR || n->quoted || !is_decimal(n->text)) return false;
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
    if (!c) return false;
    *value = strtod_l(n->text, NULL, c);
    freelocale(c);
    return isfinite((float)*value);
}

/* Whatever strtod makes of it once underscores are gone: hexadecimal, leading zeros, 3.0, 1e3. NaN for nothing. */
static double lenient_number(const char *word) {
    char plain[64];
    size_t used = 0;
    for (; *word; word++) {
        if (*word == '_') continue;
        if (used + 1 == sizeof plain) return NAN;
        plain[used++] = *word;
    }
    plain[used] = '\0';
    char *end = plain;
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
    double value = c ? strtod_l(plain, &end, c) : NAN;
    if (c) freelocale(c);
    return end == plain || *end ? NAN : value;
}

hint_text integer_hint(const node *n, int64_t least, int64_t most) {
    hint_text h = {.text = ""};
    if (n->kind != NODE_SCALAR) return h;
    double value = lenient_number(n->text);
    if (!(value >= (double)least && value <= (double)most) || trunc(value) != value) return h;
    snprintf(h.text, sizeof h.text, "write %.0f%s", value + 0.0, n->quoted ? ", without the quotes" : "");
    return h;
}

static bool names_special(const char *word) {
    if (*word == '-' || *word == '+') word++;
    if (*word == '.') word++;
    return strncasecmp(word, "inf", 3) == 0 || strcasecmp(word, "nan") == 0;
}

hint_text float_hint(const node *n) {
    if (n->kind != NODE_SCALAR) return (hint_text){.text = ""};
    const char *word = n->text;
    size_t length = strlen(word);
    if (names_special(word) || (is_decimal(word) && !n->quoted))
        return (hint_text){.text = "numbers are finite and no larger than f32 can hold"};
    if (is_decimal(word)) return (hint_text){.text = "leave out the quotes"};
    if (strchr(word, ',')) return (hint_text){.text = "the decimal separator is a point"};
    if (isnan(lenient_number(word))) return (hint_text){.text = ""};
    if (*word == '.' || word[length - 1] == '.')
        return (hint_text){.text = "a digit stands on both sides of the point"};
    return (hint_text){.text = "decimal digits alone, without + or _ or leading zeros"};
}

description describe(const node *n) {
    description d = {.text = "nothing"};
    if (n->kind == NODE_SEQUENCE)
        snprintf(d.text, sizeof d.text, n->count ? "a list of %zu" : "an empty list", n->count);
    else if (n->kind == NODE_MAPPING)
        snprintf(d.text, sizeof d.text, "a mapping");
    else if (n->quoted || *n->text)
        snprintf(d.text, sizeof d.text, n->quoted ? "the string \"%s\"" : "\"%s\"", show_text(n->text).text);
    return d;
}
