/* Rules: what must hold between the fields of a layer, and the sizes that follow from them. */
#ifndef CVK_SPEC_RULES_H
#define CVK_SPEC_RULES_H

#include "spec/fields.h"
#include "spec/report.h"

/* Where and how to say what is wrong with a layer. */
typedef struct findings {
    report *report;
    const char *owner; /* "layers[2]", or the layer's name */
    const place *at;   /* by field_id */
} findings;

/* Turns a padding word into numbers. The other fields must be within their ranges. */
void spec_resolve_padding(cvk_spec *s, padding_word word);
/* Whether the word means something for such a layer: what would be full or causal of a transposed one is not said. */
bool spec_takes_padding(const cvk_spec *s, padding_word word);

/* Makes of a checked layer the one that takes gradients of its sums: to those of its input, by the same weights, as the
 * transposed of a convolution and the convolution of a transposed do; or, with its input, to those of its weights and
 * its bias. Post-ops have no part in it. NULL, or why there is none yet. The rules are to be applied to it anew. */
const char *spec_turn_backward(cvk_spec *s, direction way);

/* Why layers, each checked, are no chain, and which of them it is; or NULL. */
const char *spec_chain_refuse(const cvk_spec *links, int count, int *which);
/* What they make, where nothing is against it. */
cvk_spec spec_chain_of(arena *a, const cvk_spec *links, int count);

/* Fills in out_size and applies the rules to fields that are each within their range. */
void spec_apply_rules(cvk_spec *s, const findings *f);

#endif
