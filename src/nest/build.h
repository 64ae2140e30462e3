/* Building a nest: statements are appended where the builder stands. Loops of one trip and conditions that always hold
 * leave no trace, so algorithms need no special cases for them. */
#ifndef CVK_NEST_BUILD_H
#define CVK_NEST_BUILD_H

#include "nest/nest.h"

typedef struct nest_builder {
    nest *nest;
    nest_statement **tail; /* where the next statement goes */
    nest_scope *scope;     /* innermost */
    struct build_frame *frames;
} nest_builder;

/* `vector_bytes`: of the target's vector registers. */
nest_builder nest_begin(arena *a, const char *name, nest_entry entry, int vector_bytes);
int nest_add_tensor(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, int alignment,
                    bool writable);
/* The same, from element `begin` on of what its role is bound to: for several tensors, apart, of one role. */
int nest_add_part(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t begin, int64_t elements,
                  int alignment, bool writable);
/* What is computed in, and has no meaning afterwards. */
int nest_add_work(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t begin, int64_t elements);
/* Cosines, of part[i] / 2^halvings of a turn each, 0 <= halvings <= TURN_MOST_HALVINGS: known, and part of the code.
 * `part` lives as long as the nest. */
int nest_add_cosines(nest_builder *b, const char *name, cvk_type type, const int32_t *part, int64_t elements,
                     int halvings);
/* What sums are stored to; added to what stands there, or not. Aligned as elements are. */
int nest_add_sums(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, bool added_to);
/* It is part of a wider tensor: nest_tensor says what the numbers are, which may be 0. */
void nest_lie_in(nest_builder *b, int tensor, int64_t image, int64_t period, int64_t width);
/* Loads into another type give how far above `zero` the tensor's numbers are, and stores from another add it. */
void nest_count_from(nest_builder *b, int tensor, int zero);
int nest_add_register(nest_builder *b, const char *name, cvk_type type, int lanes, int count);

/* Ranges. Clips that hold anyway where the builder stands are dropped. */
nest_range range_of(nest_builder *b, int64_t low, int64_t high);
void range_clip_low(nest_builder *b, nest_range *r, affine numerator,
                    int64_t divisor); /* from ceil(numerator / divisor) */
void range_clip_high(nest_builder *b, nest_range *r, affine numerator,
                     int64_t divisor); /* below floor(numerator / divisor) */

/* Opens a loop and returns its variable (a constant where it has one trip). Close each with build_end. */
affine build_for(nest_builder *b, variable_kind kind, const char *name, nest_range range);
affine build_task(nest_builder *b, const char *name, int64_t trips);
affine build_loop(nest_builder *b, const char *name, int64_t trips);
affine build_unrolled(nest_builder *b, const char *name, int64_t trips);
/* Opens a condition: the body runs where e >= 0. */
void build_if(nest_builder *b, affine e, const char *note);
void build_end(nest_builder *b);

/* floor(e / divisor) as an affine expression: exact where the remainder's range allows it, else a quotient variable. */
affine build_quotient(nest_builder *b, affine e, int64_t divisor);

/* Operations. Loads and stores of a tensor of another type than the register's convert on the way. */
register_ref reg(int array, affine index);
nest_access access_at(int tensor, affine offset, int64_t stride);
void build_const(nest_builder *b, register_ref to, double value); /* rounded to the type of `to`, which is then exact */
void build_const_ratio(nest_builder *b, register_ref to, int64_t over,
                       int64_t under); /* remembered beside its rounding */
void build_load(nest_builder *b, register_ref to, nest_access at, const nest_range *lanes);
void build_splat(nest_builder *b, register_ref to, nest_access at);
void build_splat_repeated(nest_builder *b, register_ref to, nest_access at, int repeat); /* `repeat` elements in turn */
void build_store(nest_builder *b, nest_access at, register_ref a, const nest_range *lanes);
/* The same past the caches: of what no one reads soon. */
void build_stream(nest_builder *b, nest_access at, register_ref a, const nest_range *lanes);
void build_prefetch(nest_builder *b, nest_access at);
void build_fma(nest_builder *b, register_ref to, register_ref x, register_ref y,
               const nest_range *lanes); /* to += x y */
void build_dot(nest_builder *b, register_ref to, register_ref x, register_ref y,
               const nest_range *lanes); /* to += sums of the products of neighbours */
void build_maximum(nest_builder *b, register_ref to, register_ref x,
                   const nest_range *lanes);                                     /* to = the greater of the two */
void build_number(nest_builder *b, register_ref to, affine first, int64_t step); /* first + lane * step */
/* The register that an access of the tensor moves, where `r` is one of its lanes: `r` itself, or one of the tensor's
 * type; and that with what `a` is as the tensor holds it. */
register_ref build_moved(nest_builder *b, register_ref r, int tensor);
register_ref build_as_stored(nest_builder *b, register_ref a, int tensor);
void build_convert(nest_builder *b, register_ref to, register_ref a);
void build_convert_from(nest_builder *b, register_ref to, register_ref a, int zero); /* plus zero */
void build_scale(nest_builder *b, op_kind kind, register_ref to, register_ref a, register_ref by, register_ref shift);
void build_shift(nest_builder *b, op_kind kind, register_ref to, register_ref a, int amount);
void build_op(nest_builder *b, op_kind kind, register_ref to, register_ref a, register_ref c);
void build_select_negative(nest_builder *b, register_ref to, register_ref test, register_ref yes, register_ref no);
void build_keep(nest_builder *b, register_ref to, register_ref a, const nest_range *lanes);
/* The pattern, an entry a lane of `to`, is copied. */
void build_shuffle(nest_builder *b, register_ref to, register_ref x, register_ref y, const int *pattern);
void build_transpose(nest_builder *b, register_ref to, register_ref a);
void build_call(nest_builder *b, math_kind math, register_ref to, register_ref a);

/* Ends building; the nest's task count is filled in. Loops that were not closed, or closed twice, are the nest's fault.
 */
nest *nest_finish(nest_builder *b);

#endif
