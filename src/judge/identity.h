/* The exact judge: a layer's nests, run over the integers modulo a prime, must equal the layer's formula.
 *
 * All data are random residues; constants are the exact numbers that were rounded when the nest was built. A kernel's
 * outputs are polynomials of its data, up to post-ops, whose functions stand for themselves (judge/residue.h). A wrong
 * one, of degree d, agrees with the formula at a random point with probability d / 2^61 at most, by Schwartz and
 * Zippel: no tolerance hides it, however small its effect. Sums that floats would round are exact; what rounding does
 * is for judge/bound.h to judge. */
#ifndef CVK_JUDGE_IDENTITY_H
#define CVK_JUDGE_IDENTITY_H

#include "nest/program.h"
#include "spec/spec.h"

typedef struct identity identity;

/* Draws data for a layer and computes its formula. `threads` may be NULL. NULL: out of memory. */
/* `known`: NULL, or in place of weights that the layer knows those that a plan computes by, each the sum of
 * IDENTITY_PARTS numbers (judge/rounding.h). */
enum { IDENTITY_PARTS = 8 };
identity *identity_new(const cvk_spec *s, const double *known, uint64_t seed, const cvk_parallel_for *threads);
void identity_free(identity *i);

/* Packs, then runs all tasks of one phase after another. CVK_OK: `words` is empty and every output is the formula's, or
 * it says what is wrong. Another status: there is no verdict. */
enum { IDENTITY_WORDS = 160 };
cvk_status identity_judge(const identity *i, const nest_phase *pack, const nest_program *run,
                          const cvk_parallel_for *threads, char words[IDENTITY_WORDS]);

#endif
