/* Depthwise sums of bytes: products of several kernel rows at once. A dot wants side by side what it sums up: so a task
 * copies its input to scratch as windows, n input rows interleaved, n numbers of a channel in each lane, the border as
 * the number that stands for 0, which makes every tap present. The rows of a tile share windows: output row r weighs
 * window u by those of its taps that read it, and by zeros, with as many dots as the kernel has columns.
 *
 *     for the windows u
 *       w[kw][r] = load weights; for the input columns: x = load;  for the taps: acc[r][c] += x . w[kw][r]
 *
 * Of 3 taps and 2 rows of a tile it is one window of 4 rows, which both rows meet: 6 of 8 factors count. */
#include "algo/border.h"
#include "algo/direct/tile.h"

enum { MOST_ROWS = 64 };

/* Input rows that a tile's taps read, counted from its first, in order. */
typedef struct row_list {
    int count;
    int64_t row[MOST_ROWS];
} row_list;

/* The tap of output row r that reads an input row; -1: none. */
static int64_t tap_of(const problem_axis *h, int64_t r, int64_t row) {
    const int64_t from = row - r * h->step;
    const bool hits = from >= 0 && from % h->tap_step == 0 && from / h->tap_step < h->taps;
    return hits ? from / h->tap_step : -1;
}

static bool is_read(const problem_axis *h, int64_t rows, int64_t row) {
    bool any = false;
    for (int64_t r = 0; r < rows; r++) any |= tap_of(h, r, row) >= 0;
    return any;
}

static row_list rows_of(const problem_axis *h, int64_t rows) {
    row_list list = {0};
    const int64_t last = (rows - 1) * h->step + (h->taps - 1) * h->tap_step;
    for (int64_t row = 0; row <= last && list.count < MOST_ROWS; row++)
        if (is_read(h, rows, row)) list.row[list.count++] = row;
    return list;
}

int64_t row_dot_windows(const problem *p, const target_dot *d, int64_t rows) {
    const row_list list = rows_of(&p->axis[AXIS_H], rows);
    return list.count < MOST_ROWS ? ceil_div(list.count, d->factors) : 0;
}

int64_t row_dot_meetings(const problem *p, const target_dot *d, int64_t rows) {
    const problem_axis *h = &p->axis[AXIS_H];
    const row_list list = rows_of(h, rows);
    int64_t all = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int first = 0; first < list.count; first += d->factors) {
            bool any = false;
            for (int i = first; i < list.count && i < first + d->factors; i++) any |= tap_of(h, r, list.row[i]) >= 0;
            all += any;
        }
    return all;
}

static int64_t windows(const tile *t) { return row_dot_windows(&t->p, t->dot, t->size[AXIS_H]); }

/* Input row number i of a window; -1: there are fewer. */
static int64_t window_row(const tile *t, int64_t window, int64_t i) {
    const row_list list = rows_of(&t->p.axis[AXIS_H], t->size[AXIS_H]);
    const int64_t at = window * t->reduced + i;
    return at < list.count ? list.row[at] : -1;
}

int64_t row_dot_tap(const tile *t, int64_t number, int64_t i) {
    const int64_t row = window_row(t, number % windows(t), i);
    return row < 0 ? -1 : tap_of(&t->p.axis[AXIS_H], number / windows(t), row);
}

/* Whether output row r has taps in a window. */
static bool meets(const tile *t, int64_t r, int64_t window) {
    bool any = false;
    for (int i = 0; i < t->reduced; i++) any |= row_dot_tap(t, r * windows(t) + window, i) >= 0;
    return any;
}

/* ---- scratch: of each row of tiles the windows, of those the columns, of a column the channels ---- */

static int64_t columns_seen(const problem_axis *w) { return (w->out - 1) * w->step + (w->taps - 1) * w->tap_step + 1; }

/* In whole vectors. */
static int64_t channels_of_column(int64_t channels, int lanes) { return ceil_div(channels, lanes) * lanes; }

view row_dot_scratch(const problem *p, const cvk_plan *plan, const target_dot *d, int64_t channels, int lanes) {
    const int64_t windows = row_dot_windows(p, d, plan->tile_oh) * (plan->pack_rows / plan->tile_oh);
    const int64_t column = channels_of_column(channels, lanes) * d->factors,
                  row = columns_seen(&p->axis[AXIS_W]) * column;
    return (view){.type = d->x,
                  .channel = d->factors,
                  .axis = {0, row, column},
                  .block = 1,
                  .channels = channels,
                  .elements = windows * row};
}

/* Of a channel, by numbers of a row of tiles and a column. */
static affine offset_of(const tile *t, affine tiles, int64_t window, affine column, affine channel) {
    const view *v = &t->p.x;
    affine row = affine_offset(affine_scale(tiles, windows(t)), window);
    affine at = affine_add_scaled(affine_scale(column, v->axis[AXIS_W]), row, v->axis[AXIS_H]);
    return affine_add_scaled(at, channel, v->channel);
}

/* ---- packing ---- */

/* Where a window is filled from. */
typedef struct filling {
    tile *t;
    affine tiles, first; /* number of the row of tiles; the input row that its first tap reads */
    int64_t window, channels;
    bool inside; /* all of its rows are there */
} filling;

static register_ref row_at(const tile *t, int64_t i) { return reg(t->brought, affine_constant(i)); }
static int64_t lanes_of_row(const tile *t) { return (int64_t)t->reduced * t->lanes; }

static void load_row(const filling *f, affine row, affine column, affine channel, int64_t count, register_ref to) {
    tile *t = f->t;
    nest_range valid = range_of(t->b, 0, count);
    const affine slice = input_position(&t->whole.axis[AXIS_D], t->loop[LOOP_OD].number, affine_constant(0));
    const lane_map m = {.n = t->n,
                        .channel = affine_add(t->packed_channel, channel),
                        .at = {{slice, row, column}},
                        .channel_step = 1,
                        .valid = count < lanes_of_row(t) ? &valid : NULL};
    const tensor_view input = {.tensor = t->input, .v = t->whole.x};
    view_load(t->b, &input, &m, to, reg(t->xs, affine_constant(1)));
    dot_shift_loaded(t, to, reg(t->xs, affine_constant(1)));
}

/* Whether a condition holds anywhere where the builder stands. */
static bool may_hold(const nest_builder *b, affine e) { return nest_maximum(b->nest, b->scope, e) >= 0; }

/* The number that stands for 0, where there is no row. */
static void load_row_if(const filling *f, int64_t i, affine column, affine channel, int64_t count) {
    nest_builder *b = f->t->b;
    const int64_t number = window_row(f->t, f->window, i);
    const register_ref to = row_at(f->t, i);
    affine row = affine_offset(f->first, number);
    if (number < 0 || !f->inside) build_const(b, to, dot_zero(&f->t->whole, f->t->dot));
    if (number < 0) return;
    affine left = affine_offset(affine_scale(row, -1), f->t->whole.axis[AXIS_H].in - 1);
    if (!may_hold(b, row) || !may_hold(b, left)) return;
    if (!f->inside) border_open(b, row, left);
    load_row(f, row, column, channel, count, to);
    if (!f->inside) border_close(b);
}

static void store_window(const filling *f, int array, affine column, affine channel, int64_t count) {
    tile *t = f->t;
    for (int64_t v = 0; v < ceil_div(count, t->lanes); v++) {
        affine at = offset_of(t, f->tiles, f->window, column, affine_offset(channel, v * t->lanes));
        build_store(t->b, access_at(t->x.tensor, at, 1), reg(array, affine_constant(v)), NULL);
    }
}

static void fill_channels(const filling *f, affine source, affine column, affine channel, int64_t count) {
    for (int i = 0; i < f->t->reduced; i++) load_row_if(f, i, source, channel, count);
    store_window(f, dot_bring(f->t, f->t->brought), column, channel, count);
}

/* A column of border. */
static void fill_with_zero(const filling *f, affine source, affine column, affine channel, int64_t count) {
    (void)source;
    for (int i = 0; i < f->t->reduced; i++) build_const(f->t->b, row_at(f->t, i), dot_zero(&f->t->whole, f->t->dot));
    store_window(f, f->t->brought, column, channel, count);
}

typedef void fill(const filling *f, affine source, affine column, affine channel, int64_t count);

/* Columns first .. last - 1 of scratch, registers of channels of each. */
static void fill_columns(const filling *f, int64_t first, int64_t last, fill *by) {
    nest_builder *b = f->t->b;
    const int64_t lanes = lanes_of_row(f->t), whole = f->channels / lanes, rest = f->channels % lanes;
    if (first >= last) return;
    affine column = affine_offset(build_loop(b, "w", last - first), first);
    affine source = affine_offset(column, f->t->whole.axis[AXIS_W].origin);
    if (whole) {
        by(f, source, column, affine_scale(build_loop(b, "c", whole), lanes), lanes);
        build_end(b);
    }
    if (rest) by(f, source, column, affine_constant(whole * lanes), rest);
    build_end(b);
}

static void fill_window(const filling *f) {
    const problem_axis *w = &f->t->whole.axis[AXIS_W];
    const int64_t width = columns_seen(w), low = lesser(greater(0, -w->origin), width);
    const int64_t high = greater(low, lesser(width, w->in - w->origin));
    fill_columns(f, 0, low, fill_with_zero);
    fill_columns(f, low, high, fill_channels);
    fill_columns(f, high, width, fill_with_zero);
}

static affine opposite(affine e) { return affine_offset(affine_scale(e, -1), -1); }

static void fill_where(const filling *f, affine one, affine other) {
    nest_builder *b = f->t->b;
    if (!may_hold(b, one) || !may_hold(b, other)) return;
    border_open(b, one, other);
    fill_window(f);
    border_close(b);
}

/* Windows whose rows are all there, those that reach before the first, and those behind the last. */
static void fill_by_place(filling f) {
    int64_t last = 0;
    for (int i = 0; i < f.t->reduced; i++) last = greater(last, window_row(f.t, f.window, i));
    affine before = affine_offset(f.first, window_row(f.t, f.window, 0));
    affine behind = affine_offset(affine_scale(f.first, -1), f.t->whole.axis[AXIS_H].in - 1 - last);
    const affine always = affine_constant(0);
    f.inside = true;
    fill_where(&f, before, behind);
    f.inside = false;
    fill_where(&f, opposite(before), always);
    fill_where(&f, before, opposite(behind));
}

static affine first_tile(const tile *t, plan_loop loop) {
    const bool stands = plan_level_of(&t->plan->order, loop, false) < t->plan->tasks;
    return stands ? t->loop[loop].number : t->loop[loop].first;
}

static void fill_task(tile *t, int64_t channels) {
    const problem_axis *h = &t->whole.axis[AXIS_H];
    affine tiles = build_loop(t->b, "row", t->plan->pack_rows / t->size[AXIS_H]);
    affine number = affine_add(first_tile(t, LOOP_OH), tiles);
    affine first = affine_offset(affine_scale(number, t->size[AXIS_H] * h->step), h->origin);
    for (int64_t u = 0; u < windows(t); u++) fill_by_place((filling){t, tiles, first, u, channels, false});
    build_end(t->b);
}

/* The last task may have fewer channels. */
void row_dot_pack_input(tile *t) {
    const int64_t all = t->whole.x.channels, some = t->p.x.channels, rest = all % some;
    affine first = t->packed_channel, back = affine_scale(first, -1);
    border_open(t->b, affine_offset(back, all - some), affine_constant(0));
    fill_task(t, some);
    border_close(t->b);
    if (!rest) return;
    border_open(t->b, affine_offset(first, rest - all), affine_offset(back, all - rest));
    fill_task(t, rest);
    border_close(t->b);
}

/* ---- sums ---- */

static int64_t plan_vectors(const tile *t) { return t->plan->tile_oc / t->lanes; }

void row_dot_registers(tile *t) {
    channel_tile_registers(t, 1, slid_taps(&t->p.axis[AXIS_W]) * t->size[AXIS_H] * plan_vectors(t));
    t->brought = dot_add_brought(t, (int)lanes_of_row(t));
}

static register_ref weight_of(const tile *t, affine kw, int64_t r, affine j) {
    affine row = affine_offset(affine_scale(kw, t->size[AXIS_H]), r);
    return reg(t->ws, affine_add_scaled(j, row, plan_vectors(t)));
}

/* Not those that are all fill. */
static affine open_vectors(tile *t) { return build_unrolled(t->b, "j", ceil_div(t->oc.valid, t->lanes)); }

static void load_weights(tile *t, tap k, const slide *s, int64_t window) {
    nest_builder *b = t->b;
    affine kw = build_unrolled(b, "kw", s->count), j = open_vectors(t);
    k.k[AXIS_W] = affine_offset(kw, s->first);
    for (int64_t r = 0; r < t->span[AXIS_H]->length; r++) {
        if (!meets(t, r, window)) continue;
        k.k[AXIS_H] = affine_constant(r * windows(t) + window);
        affine at = affine_add_scaled(tap_weights(t, &k), j, lanes_of_row(t));
        build_load(b, weight_of(t, kw, r, j), access_at(t->weights, at, 1), NULL);
    }
    build_end(b);
    build_end(b);
}

static void load_window(tile *t, const tap *k, affine at, int64_t window, affine j) {
    const problem_axis *w = &t->p.axis[AXIS_W];
    affine column = affine_sub(input_position(w, affine_add(t->at[AXIS_W], at), k->k[AXIS_W]), t->packed[AXIS_W]);
    affine channel = affine_sub(affine_scale(t->loop[LOOP_OC].number, t->oc.size), t->packed_channel);
    affine tiles = affine_sub(t->loop[LOOP_OH].number, first_tile(t, LOOP_OH));
    affine from = offset_of(t, tiles, window, column, affine_add_scaled(channel, j, t->lanes));
    build_load(t->b, reg(t->xs, affine_constant(0)), access_at(t->x.tensor, from, 1), NULL);
}

static void slide_columns(tile *t, tap k, const slide *s, int64_t phase, int64_t window) {
    nest_builder *b = t->b;
    pixel p = {{affine_constant(0), affine_constant(0), affine_constant(0)}};
    affine read_by, at = slide_open_inputs(t, s, phase, &k.k[AXIS_W]), j = open_vectors(t);
    load_window(t, &k, at, window, j);
    p.at[AXIS_W] = slide_open_taps(t, s, phase, at, &read_by);
    for (int64_t r = 0; r < t->span[AXIS_H]->length; r++) {
        p.at[AXIS_H] = affine_constant(r);
        if (meets(t, r, window))
            build_dot(b, channel_tile_sum(t, j, &p), reg(t->xs, affine_constant(0)),
                      weight_of(t, affine_offset(read_by, -s->first), r, j), NULL);
    }
    for (int i = 0; i < 3; i++) build_end(b);
}

void row_dot_add(tile *t, const tap *k) {
    const problem_axis *w = &t->p.axis[AXIS_W];
    const int64_t some = slid_taps(w);
    if (t->oc.valid <= 0) return;
    for (int64_t first = 0; first < w->taps; first += some) {
        const slide s = slide_of(t, AXIS_W, first, lesser(some, w->taps - first));
        for (int64_t u = 0; u < windows(t); u++) {
            load_weights(t, *k, &s, u);
            for (int64_t phase = 0; phase < slide_phases(&s); phase++) slide_columns(t, *k, &s, phase, u);
        }
    }
}
