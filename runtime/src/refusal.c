/* Refusals in words. */
#include <convoke/runtime.h>

#include <inttypes.h>
#include <stdio.h>

static int print_missing(const cvk_refusal *r, char *text, size_t size) {
    char names[256];
    cvk_cpu_names(r->needed & ~r->given, names, sizeof names);
    return snprintf(text, size, "this CPU lacks %s, which the kernel needs", names);
}

static int print_abi(const cvk_refusal *r, char *text, size_t size) {
    if (r->needed == r->given) return snprintf(text, size, "%s: its description is too short", r->what);
    return snprintf(text, size, "%s: version %" PRIu64 ", not %" PRIu64 ": %s", r->what, r->given, r->needed,
                    cvk_status_text(r->status));
}

static int print(const cvk_refusal *r, char *text, size_t size) {
    switch (r->status) {
    case CVK_ERROR_ARGUMENT:
        if (!r->needed && !r->given) break;
        return snprintf(text, size, "%s is %" PRIu64 ", and the kernel takes %" PRIu64, r->what, r->given, r->needed);
    case CVK_ERROR_ABI: return print_abi(r, text, size);
    case CVK_ERROR_CPU: return print_missing(r, text, size);
    case CVK_ERROR_NULL:
        return snprintf(text, size, "%s is NULL, and the kernel needs %" PRIu64 " bytes", r->what, r->needed);
    case CVK_ERROR_SIZE:
        return snprintf(text, size, "%s has %" PRIu64 " bytes, and the kernel needs %" PRIu64, r->what, r->given,
                        r->needed);
    case CVK_ERROR_ALIGNMENT:
        return snprintf(text, size, "%s is aligned to %" PRIu64 " bytes, and the kernel needs %" PRIu64, r->what,
                        r->given, r->needed);
    case CVK_ERROR_OVERLAP: return snprintf(text, size, "%s overlaps %s", r->what, r->other);
    case CVK_ERROR_WEIGHTS:
        return snprintf(text, size, "%s were not packed for this kernel: tag %016" PRIx64 ", not %016" PRIx64, r->what,
                        r->given, r->needed);
    default: break;
    }
    const char *what = r->what ? r->what : "";
    return snprintf(text, size, "%s%s%s", what, *what ? ": " : "", cvk_status_text(r->status));
}

size_t cvk_refusal_text(const cvk_refusal *why, char *text, size_t size) {
    int length = print(why, text, size);
    return length < 0 ? 0 : (size_t)length;
}
