/* Output by output: the nearest input, or those of the two places of each axis, by the products of their weights. */
#include "judge/naive_resize.h"
#include "judge/bound.h"
#include "judge/resize_place.h"

#include <math.h>

static long double input_at(const cvk_spec *s, const void *input, int64_t channel, const int64_t at[AXES]) {
    const int64_t *in = s->in_size, i = ((channel * in[0] + at[0]) * in[1] + at[1]) * in[2] + at[2];
    return type_read(s->input_type, (const char *)input + i * type_bytes(s->input_type));
}

/* Where both places of an axis are one, at an edge, there is one. */
static void resize_one(const cvk_spec *s, const void *input, int64_t channel, const resize_place where[AXES],
                       long double *output, double *bound) {
    long double sum = 0, magnitude = 0;
    int axes = 0;
    for (int a = 0; a < AXES; a++) axes += where[a].index[0] != where[a].index[1];
    for (int corner = 0; corner < 1 << AXES; corner++) {
        long double weight = 1;
        bool there = true;
        int64_t at[AXES];
        for (int a = 0; a < AXES; a++) {
            const int side = corner >> a & 1;
            const bool one = where[a].index[0] == where[a].index[1];
            at[a] = where[a].index[side];
            there &= !one || side == 0;
            if (!one) weight *= (long double)where[a].over[side] / (long double)where[a].under;
        }
        if (!there) continue;
        const long double term = weight * input_at(s, input, channel, at);
        sum += term;
        magnitude += fabsl(term);
    }
    *output = sum;
    if (bound) *bound = bound_weighed(spec_sum_type(s), axes, magnitude);
}

void naive_resize_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                        double *bound) {
    int64_t o[AXES];
    for (int64_t i = first; i < last; i++)
        for (o[0] = 0; o[0] < s->out_size[0]; o[0]++)
            for (o[1] = 0; o[1] < s->out_size[1]; o[1]++)
                for (o[2] = 0; o[2] < s->out_size[2]; o[2]++) {
                    const resize_place where[AXES] = {resize_place_of(s, 0, o[0]), resize_place_of(s, 1, o[1]),
                                                      resize_place_of(s, 2, o[2])};
                    resize_one(s, input, i, where, output++, bound ? bound++ : NULL);
                }
}
