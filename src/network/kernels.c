/* Layers compared as they are printed, by a name that they have in common. */
#include "network/steps.h"

#include "base/text.h"

#include <string.h>

/* A chain's layers have names, too. */
static cvk_spec nameless_of(arena *a, const cvk_spec *s) {
    cvk_spec nameless = *s, *link = arena_array(a, cvk_spec, s->links + 1);
    for (int i = 0; i < s->links; i++) {
        link[i] = s->link[i];
        link[i].name = "layer";
    }
    nameless.name = "layer";
    nameless.link = link;
    return nameless;
}

static const char *without_name(arena *a, const cvk_spec *s) {
    const cvk_spec nameless = nameless_of(a, s);
    text words = text_new(a);
    spec_print(&nameless, &words);
    return words.bytes;
}

bool network_alike(arena *a, const cvk_spec *one, const cvk_spec *other) {
    return strcmp(without_name(a, one), without_name(a, other)) == 0;
}

network_kernels network_kernels_of(arena *a, const network_steps *n) {
    const char **words = arena_array(a, const char *, n->step_count + 1);
    network_kernels k = {.layer = arena_array(a, const cvk_spec *, n->step_count + 1),
                         .of = arena_array(a, int, n->step_count + 1)};
    for (int i = 0; i < n->step_count; i++) {
        const char *own = without_name(a, n->step[i].spec);
        int at = 0;
        while (at < k.count && strcmp(words[at], own) != 0) at++;
        if (at == k.count) {
            words[at] = own;
            k.layer[k.count++] = n->step[i].spec;
        }
        k.of[i] = at;
    }
    return k;
}
