/* Nests one after another: in each task of one nest, where what is between them may wait in scratch; or as programs,
 * phase after phase. Whoever made the nests knows nothing of it: their tasks become loops, their tensors stand where
 * they are told to. */
#ifndef CVK_NEST_SEQUENCE_H
#define CVK_NEST_SEQUENCE_H

#include "nest/program.h"

enum { SEQUENCE_TASKS = 4 };

/* What becomes of the tensors that a nest has of a role. */
typedef struct nest_place {
    nest_role role;                      /* that they have then */
    const char *name;                    /* NULL: as before */
    int64_t begin;                       /* so many elements further on in what that is bound to */
    int64_t elements;                    /* 0: as many as before */
    int64_t first, step[SEQUENCE_TASKS]; /* accesses are so many elements further on, and so many more with each task */
} nest_place;

/* A nest and where its tensors stand, by role. */
typedef struct nest_part {
    const nest *nest;
    nest_place place[ROLE_COUNT];
} nest_part;

/* Every role as it was. */
void places_kept(nest_place place[ROLE_COUNT]);

/* A copy whose tensors stand there; accesses are what they were. */
nest *nest_placed(arena *a, const nest *n, const nest_place at[ROLE_COUNT]);

/* In each of trips[0] * … tasks, all parts in their order. */
nest *nest_sequence(arena *a, const char *name, const int64_t trips[SEQUENCE_TASKS],
                    const char *const names[SEQUENCE_TASKS], const nest_part *part, int parts);

/* All phases of one program before those of the next. place[i] is by role, without `first` and `step`. */
nest_program program_sequence(arena *a, const nest_program *part, const nest_place *const place[], int parts);

#endif
