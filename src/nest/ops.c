/* The table of operations. */
#include "nest/nest.h"

static const struct op_row {
    const char *name;
    op_class class;
    int sources;
    op_types types;
} ROWS[OP_KINDS] = {
#define NEST_OP(name, word, class, sources, types, formula) {word, CLASS_##class, sources, TYPES_##types},
#include "nest/ops.def"
#undef NEST_OP
};

const char *nest_op_name(op_kind kind) { return ROWS[kind].name; }
op_class nest_op_class(op_kind kind) { return ROWS[kind].class; }
int nest_op_sources(op_kind kind) { return ROWS[kind].sources; }

bool nest_op_takes(op_kind kind, cvk_type type) {
    switch (ROWS[kind].types) {
    case TYPES_NUMBER: return !type_is_float(type) || type_is_computed_float(type);
    case TYPES_FLOAT: return type_is_computed_float(type);
    case TYPES_INTEGER: return !type_is_float(type);
    case TYPES_S32: return type == TYPE_S32;
    case TYPES_ANY: break;
    }
    return true;
}
