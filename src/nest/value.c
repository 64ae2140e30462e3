/* Expressions and ranges where every variable they depend on is a number. */
#include "nest/nest.h"

int64_t nest_value(const nest *n, const affine *e, const int64_t *values) {
    int64_t value = e->constant;
    for (int i = 0; i < e->count; i++) {
        const nest_variable *v = &n->variables[e->term[i].variable];
        int64_t term = v->kind == VARIABLE_QUOTIENT
                           ? floor_div(nest_value(n, &v->quotient.numerator, values), v->quotient.divisor)
                           : values[e->term[i].variable];
        value += e->term[i].coefficient * term;
    }
    return value;
}

void nest_range_ends(const nest *n, const nest_range *r, const int64_t *values, int64_t *low, int64_t *high) {
    *low = INT64_MIN;
    *high = INT64_MAX;
    for (int i = 0; i < r->low_count; i++) {
        int64_t end = ceil_div(nest_value(n, &r->low[i].numerator, values), r->low[i].divisor);
        if (end > *low) *low = end;
    }
    for (int i = 0; i < r->high_count; i++) {
        int64_t end = floor_div(nest_value(n, &r->high[i].numerator, values), r->high[i].divisor);
        if (end < *high) *high = end;
    }
}

void nest_lane_ends(const nest *n, const nest_range *r, const int64_t *values, int lanes, int *low, int *high) {
    int64_t from = 0, to = lanes;
    if (r) nest_range_ends(n, r, values, &from, &to);
    *low = from > 0 ? (int)(from < lanes ? from : lanes) : 0;
    *high = to < lanes ? (int)(to > 0 ? to : 0) : lanes;
    if (*low >= *high) *low = *high = 0;
}
