/* A program: what a kernel runs. Phases, all tasks of one of which end before the next begins; in each, nests that are
 * independent of one another, whose tasks are numbered through: those of nest k begin where those of nest k - 1 end.
 * What a phase leaves to the next stands in ROLE_WORKSPACE. Arena-owned, and not changed afterwards. */
#ifndef CVK_NEST_PROGRAM_H
#define CVK_NEST_PROGRAM_H

#include "nest/nest.h"

typedef struct nest_phase {
    int count;
    nest *const *nest;
} nest_phase;

typedef struct nest_program {
    int count; /* 1 to CVK_MOST_PHASES */
    const nest_phase *phase;
} nest_program;

/* One phase of one nest. */
nest_program program_of(arena *a, nest *n);

/* Programs that are independent of one another as one, which end together: the last phase has the nests of every last
 * phase. Each has weights and workspace of its own, those of one after those of the one before; all else they share. */
nest_program program_beside(arena *a, const nest_program *part, int count);
/* Where the parts of such a program have their own tensors of a role. */
void program_places(const nest_program *part, int count, nest_role role, int64_t *begin);
/* The nests that pack their weights: in the same places, with zeros between them. */
nest_phase pack_beside(arena *a, nest *const *part, int count);

/* A program that packs for itself, tasks of a phase before its own, to its workspace: of what its runs have in the role
 * `from`; its nests find their input in the role `input`. */
nest_program program_that_packs(arena *a, const nest_program *p, const nest_phase *pack, nest_role from,
                                nest_role input);
/* The program with what it puts out in its workspace instead, behind what it has there: from element `*begin` on. */
nest_program program_into_workspace(arena *a, const nest_program *p, bool shared, int64_t *begin);
/* The program behind a phase of one nest. */
nest_program program_after(arena *a, const nest_program *p, nest *n);
/* The program and a phase of one nest behind it. */
nest_program program_then(arena *a, const nest_program *p, nest *n);
/* The program with one more nest in its last phase, which is independent of the others'. */
nest_program program_with(arena *a, const nest_program *p, nest *n);

/* Its nests one by one, in their order; NULL past the end. */
const nest *program_nest(const nest_program *p, int index);

int64_t program_tasks(const nest_program *p, int phase);

/* With a nest in the phase before the last, which is new where the one before the last is the first. */
nest_program program_before_last(arena *a, const nest_program *p, nest *n);

/* What a run has to bring for that role: as much as the largest tensor of all nests, as aligned as the strictest asks.
 * 0 elements and no name where no nest has such a tensor. */
typedef struct program_buffer {
    const char *name;
    int64_t elements, bytes;
    int narrowest, widest; /* bytes of an element of its tensors */
    int alignment;
    int64_t image_bytes; /* from an image to the next, where a tensor says so */
    bool held;           /* what it holds before is added to: its first nest says so */
} program_buffer;
program_buffer program_needs(const nest_program *p, nest_role role);

/* Refuses what nest_check refuses of any nest, a program of no or too many phases, and more tasks in one than a kernel
 * can number. `extent`, if not NULL, gets what all nests together reach. */
cvk_status program_check(const nest_program *p, cvk_diagnostics *diagnostics, nest_extent *extent);

/* How many parts the tensors of a role fall into so that a task of the phase keeps to one: the trips of the task loops
 * that its accesses to them depend on. Those of the phase's first nest that has any; 1 where none has. */
int64_t program_parts(const nest_program *p, int phase, nest_role role);

/* Of all nests of a phase. */
void program_count_phase(const nest_program *p, int phase, nest_counts *counts);

/* The nests as pseudo-C, with a line before each phase where there are several. */
void program_print(const nest_program *p, text *out);

#endif
