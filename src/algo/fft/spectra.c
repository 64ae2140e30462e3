/* The transform of each tile of each input channel. */
#include "algo/fft/fft.h"

typedef struct source {
    const fft *f;
    int planes;
    affine first; /* position 0 of the tile */
} source;

/* A position along the axis that is folded is so many elements from the next. */
static int64_t stride_of(const fft *f, int axis) {
    int64_t stride = 1;
    for (int a = axis + 1; a < AXES; a++) stride *= f->axis[a].covered;
    return stride;
}

static fft_line positions(void *context, affine row, affine vector) {
    const source *s = context;
    const fft *f = s->f;
    const int64_t stride = stride_of(f, f->fold);
    affine base = affine_add_scaled(s->first, vector, f->lanes);
    base = affine_add_scaled(base, row, f->axis[AXIS_W].covered);
    return (fft_line){s->planes, base, f->fold == AXIS_W ? fft_column_step(f) : stride, f->line[f->fold] * stride,
                      NULL,      NULL};
}

nest *fft_spectra(arena *a, const fft *made) {
    static const char *const NAMES[AXES] = {"sd", "sh", "sw"};
    fft f = *made;
    nest_builder b = nest_begin(a, f.p->name, ENTRY_TASKS, f.target->vector_bytes);
    f.b = &b;
    const cvk_type type = f.p->sum;
    source s = {.f = &f};
    s.planes = nest_add_tensor(&b, "planes", ROLE_WORKSPACE, type, f.planes, SCRATCH_ALIGNMENT, false);
    fft_chunks to = {.step = f.chunk * 2 * f.lanes};
    to.tensor = nest_add_part(&b, "spectra", ROLE_WORKSPACE, type, f.planes, f.spectra, SCRATCH_ALIGNMENT, true);
    f.tile = nest_add_tensor(&b, "scratch", ROLE_SCRATCH, type, fft_tile_elements(&f), SCRATCH_ALIGNMENT, true);
    fft_declare(&f);
    if (f.p->n == 0) {
        b.nest->tasks = 0;
        return nest_finish(&b);
    }
    affine n = build_task(&b, "n", f.p->n), channel = build_task(&b, "c", f.p->groups * f.p->in_channels), at[AXES];
    s.first = fft_plane(&f, n, channel);
    for (int i = 0; i < AXES; i++) {
        at[i] = build_task(&b, NAMES[i], f.axis[i].inputs);
        s.first = affine_add_scaled(s.first, at[i], f.axis[i].hop * stride_of(&f, i));
    }
    to.base = fft_spectrum(&f, n, channel, at);
    fft_forward(&f, positions, &s, &to);
    for (int i = 0; i < AXES + 2; i++) build_end(&b);
    return nest_finish(&b);
}
