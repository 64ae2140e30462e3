/* Keys: two compiles with equal keys give the same kernel. */
#include "cache/key.h"

#include "base/build.h"

#include <inttypes.h>

static void print_target(const cvk_target *t, text *out) {
    text_add(out, "target %s %s %s \"%s\" features %" PRIx64 " of %" PRIx64 "\n", t->name, t->triple ? t->triple : "-",
             t->cpu, t->llvm_features, t->cpu_features, cvk_cpu_features());
    text_add(out, "machine vectors %d registers %d fused %d masks %d caches %" PRId64 " %" PRId64 " %" PRId64 "\n",
             t->vector_bytes, t->registers, t->fused, t->masks, t->l1_bytes, t->l2_bytes, t->l3_bytes);
    const figure_field *field;
    for (int i = 0; (field = figure_row(i)); i++) {
        text_add(out, "%s%s ", i ? " " : "figures ", field->name);
        text_add_double(out, figure_get(t->figures, i));
    }
    text_add(out, "\n");
}

const char *cache_key(arena *a, const cvk_spec *spec, goal aim, const char *effort) {
    text key = text_new(a);
    text_add(&key, "convoke %s abi %u\n", build_id, CVK_ABI_VERSION);
    print_target(aim.target, &key);
    text_add(&key, "effort %s threads %" PRIu32 "%s\n", effort, aim.threads, aim.step ? " step" : "");
    spec_print(spec, &key);
    return key.bytes;
}
