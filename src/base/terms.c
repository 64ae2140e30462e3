/* The rows of base/layer_kinds.def and base/post_ops.def. */
#include "base/terms.h"

const layer_kind_row layer_kind_rows[LAYER_KINDS] = {
#define LAYER_KIND(NAME, word, weighs, windows) {word, weighs, windows},
#include "base/layer_kinds.def"
#undef LAYER_KIND
};

const post_row post_rows[POST_KINDS] = {
#define POST_OP(name, word, parameters, operand, formula) {word, parameters, OPERAND_##operand, formula},
#include "base/post_ops.def"
#undef POST_OP
};

int post_count_reading(const post_op *list, int count, post_operand operand) {
    int reading = 0;
    for (int i = 0; i < count; i++) reading += post_rows[list[i].kind].operand == operand;
    return reading;
}
