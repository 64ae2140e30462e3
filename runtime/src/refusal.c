/* Refusals in words, put together by hand, since there need not be a C library to print with. */
#include <convoke/runtime.h>

/* Text of which as much is kept as fits. */
typedef struct words {
    char *text;
    size_t size, length;
} words;

static void add(words *w, const char *text) {
    for (; *text; text++, w->length++)
        if (w->length + 1 < w->size) w->text[w->length] = *text;
}

static void add_number(words *w, uint64_t number, unsigned base, unsigned least_digits) {
    char digits[21], *at = digits + sizeof digits - 1;
    *at = 0;
    for (unsigned count = 0; number || count < least_digits; count++, number /= base)
        *--at = "0123456789abcdef"[number % base];
    add(w, at);
}

static void add_decimal(words *w, uint64_t number) { add_number(w, number, 10, 1); }
static void add_tag(words *w, uint64_t tag) { add_number(w, tag, 16, 16); }

/* "what has 3 bytes, and the kernel needs 4 bytes", with the words around the numbers. */
static void add_pair(words *w, const cvk_refusal *r, const char *has, const char *needs, const char *unit) {
    add(w, has);
    add_decimal(w, r->given);
    add(w, needs);
    add_decimal(w, r->needed);
    add(w, unit);
}

static void print_abi(words *w, const cvk_refusal *r) {
    if (r->needed == r->given) {
        add(w, ": its description is too short");
        return;
    }
    add_pair(w, r, ": version ", ", not ", ": ");
    add(w, cvk_status_text(r->status));
}

static void print_cpu(words *w, const cvk_refusal *r) {
    char names[256];
    cvk_cpu_names(r->needed & ~r->given, names, sizeof names);
    add(w, "this CPU lacks ");
    add(w, names);
    add(w, ", which the kernel needs");
}

static void print_weights(words *w, const cvk_refusal *r) {
    add(w, " were not packed for this kernel: tag ");
    add_tag(w, r->given);
    add(w, ", not ");
    add_tag(w, r->needed);
}

static void print_overlap(words *w, const cvk_refusal *r) {
    add(w, " overlaps ");
    add(w, r->other);
}

static void print_null(words *w, const cvk_refusal *r) {
    add(w, " is NULL, and the kernel needs ");
    add_decimal(w, r->needed);
    add(w, " bytes");
}

static void print_status(words *w, const cvk_refusal *r) {
    if (w->length) add(w, ": ");
    add(w, cvk_status_text(r->status));
}

static void print(words *w, const cvk_refusal *r) {
    if (r->status != CVK_ERROR_CPU && r->what) add(w, r->what);
    switch (r->status) {
    case CVK_ERROR_ABI: print_abi(w, r); break;
    case CVK_ERROR_CPU: print_cpu(w, r); break;
    case CVK_ERROR_NULL: print_null(w, r); break;
    case CVK_ERROR_SIZE: add_pair(w, r, " has ", " bytes, and the kernel needs ", ""); break;
    case CVK_ERROR_ALIGNMENT: add_pair(w, r, " is aligned to ", " bytes, and the kernel needs ", ""); break;
    case CVK_ERROR_OVERLAP: print_overlap(w, r); break;
    case CVK_ERROR_WEIGHTS: print_weights(w, r); break;
    case CVK_ERROR_ARGUMENT:
        if (r->needed || r->given)
            add_pair(w, r, " is ", ", and the kernel takes ", "");
        else
            print_status(w, r);
        break;
    default: print_status(w, r); break;
    }
}

size_t cvk_refusal_text(const cvk_refusal *why, char *text, size_t size) {
    words w = {text, size, 0};
    print(&w, why);
    if (size) text[w.length < size ? w.length : size - 1] = 0;
    return w.length;
}
