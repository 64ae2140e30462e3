/* The fields of a plan as a table, which plan_print, plan_parse and plan_equal walk. */
#ifndef CVK_PLAN_FIELDS_H
#define CVK_PLAN_FIELDS_H

#include "plan/plan.h"

typedef enum plan_kind { PLAN_NAME, PLAN_LANES, PLAN_INTEGER, PLAN_SWITCH, PLAN_ORDER } plan_kind;

typedef struct plan_field {
    const char *group, *key; /* group: the mapping the key stands in, "" for the schedule itself */
    plan_kind kind;
    size_t offset; /* of the member in cvk_plan */
    int least, most;
    bool required;
} plan_field;

enum { PLAN_MOST_FIELDS = 32 };

/* NULL past the end. Fields of one group are neighbours. */
const plan_field *plan_field_row(int index);

enum {
    PLAN_ALGORITHMS = 0
#define ALGORITHM_NAME(word) +1
#include "plan/algorithm_names.def"
#undef ALGORITHM_NAME
};
extern const char *const plan_algorithm_words[PLAN_ALGORITHMS];
extern const char *const plan_lanes_words[LANES_KINDS];
extern const char *const plan_loop_words[PLAN_LOOPS];

#endif
