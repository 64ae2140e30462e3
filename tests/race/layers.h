/* What the races share: small layers, and a check that a kernel is that of its layer. */
#ifndef CVK_TESTS_RACE_LAYERS_H
#define CVK_TESTS_RACE_LAYERS_H

#include <convoke/convoke.h>

enum { LAYERS = 24 };

/* Ends the program with a sentence if `sound` is false. */
void expect(bool sound, const char *format, ...) __attribute__((format(printf, 2, 3)));

cvk_network *layers_make(void);
/* Runs the kernel on data of which the right output is known. */
void layers_check(const cvk_kernel *kernel, size_t layer);

/* A new folder for a cache; and its end. */
void cache_make(char folder[32]);
void cache_remove(const char *folder);

long amount(const char *variable, long otherwise);

#endif
