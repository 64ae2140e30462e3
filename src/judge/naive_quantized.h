/* What becomes of exact sums of integers, from the definitions in docs/language.md. */
#ifndef CVK_JUDGE_NAIVE_QUANTIZED_H
#define CVK_JUDGE_NAIVE_QUANTIZED_H

#include "judge/naive.h"

/* A sum of channel `oc` as post-ops take it: an f32, or a rounded integer. */
long double naive_scaled(const cvk_spec *s, const naive_tensors *t, int64_t oc, long double sum);
/* What `add` adds of an addend of bytes: as far from what stands for 0 as it is, times a multiplier. */
double naive_addend(const cvk_spec *s, double addend, double multiplier);
/* A post-op whose every step IEEE rounds, step by step in f32. False: it has others. */
bool naive_step(const post_op *op, double operand, long double *x);
/* The byte that a value becomes which is known within `error`, and how far a kernel's may be from it. */
void naive_store_byte(const cvk_spec *s, long double *value, double *error);

#endif
