/* convoke compile: an object and a header for each spec file. Everything is made in memory first; files appear only
 * when all of it is there. */
#include "bake.h"
#include "chain.h"
#include "cli/depfile.h"
#include "cli/describe.h"
#include "files/folders.h"
#include "cli/header.h"
#include "cli/manifest.h"
#include "files/output.h"
#include "network/plan.h"
#include "cli/session_main.h"
#include "cli/tuned.h"
#include "cli/verbs.h"
#include "cli/weights.h"

#include <errno.h>
#include <string.h>

/* The layers of a spec file that were asked for; units[t * layers + l] is layer l for target t. A network is compiled
 * where all of its layers are. */
typedef struct compiled {
    session *session;
    arena *arena;
    const session_file *file;
    const session_layer *layer;
    const char *network;
    const cvk_spec **specs; /* of the layers, then of what else a network of them needs */
    network_parts *parts;   /* what each of them was in the file */
    compile_unit *units;
    const char **origins; /* of their plans, in words; NULL: nobody asked */
    const char **symbols;
    size_t layers, targets; /* `layers`: all of `specs` */
    size_t own;             /* those that the file names */
    const network_steps *steps;
    size_t *step_layer;       /* of each step, which of `layers` it is */
    cvk_network_info *tables; /* of each target */
    unsigned emits;           /* bits of artefacts[] */
    const known_plans *known; /* or NULL */
} compiled;

static goal goal_of(const compiled *c, const cvk_target *target) {
    goal aim = session_goal(c->session, target);
    aim.step = c->steps != NULL;
    return aim;
}

static const char *network_symbol(const compiled *c) {
    return header_identifier(c->arena, arena_format(c->arena, "%s%s_network", c->session->options->prefix, c->network));
}

/* What a reader is told of: the layers that the file names, and the network. */
static kernel_list kernels_of(const compiled *c) {
    compile_unit *own = arena_array(c->arena, compile_unit, c->own * c->targets + 1);
    for (size_t t = 0; t < c->targets; t++)
        for (size_t l = 0; l < c->own; l++) own[t * c->own + l] = c->units[t * c->layers + l];
    return (kernel_list){.stem = c->file->stem,
                         .network = c->network,
                         .prefix = c->session->options->prefix,
                         .units = own,
                         .symbols = c->symbols,
                         .layers = c->own,
                         .targets = c->targets,
                         .table = c->tables,
                         .table_symbol = c->tables ? network_symbol(c) : NULL};
}

/* What one --emit word makes of it. */
typedef cvk_status artefact_maker(const compiled *c, output_file *to);

static cvk_status emit(const compiled *c, emit_kind kind, output_file *to) {
    cvk_object object;
    const emit_network network = {c->tables ? network_symbol(c) : NULL, c->tables, c->step_layer};
    cvk_status status = compile_emit(c->units, c->symbols, c->layers, c->targets, c->tables ? &network : NULL, kind,
                                     c->session->diagnostics, &object, NULL);
    if (status != CVK_OK) return status;
    to->bytes = arena_copy(c->arena, object.bytes, object.size);
    to->size = object.size;
    object_free(&object);
    return CVK_OK;
}

static cvk_status make_object(const compiled *c, output_file *to) { return emit(c, EMIT_OBJECT, to); }
static cvk_status make_assembly(const compiled *c, output_file *to) { return emit(c, EMIT_ASSEMBLY, to); }
static cvk_status make_llvm(const compiled *c, output_file *to) { return emit(c, EMIT_LLVM, to); }

static cvk_status make_header(const compiled *c, output_file *to) {
    text out = text_new(c->arena);
    const kernel_list kernels = kernels_of(c);
    header_print(&kernels, &out);
    to->bytes = out.bytes;
    to->size = out.length;
    return CVK_OK;
}

static cvk_status make_explanation(const compiled *c, output_file *to) {
    enum { RUNNERS_UP = 8 };
    text out = text_new(c->arena);
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < c->layers * c->targets && status == CVK_OK; i++) {
        description x;
        const goal aim = goal_of(c, c->units[i].target);
        status = describe_layer(c->arena, c->units[i].spec, aim, RUNNERS_UP, c->session->diagnostics, &x);
        x.origin = c->origins[i];
        if (status == CVK_OK) describe_print(&x, &out);
    }
    to->bytes = out.bytes;
    to->size = out.length;
    return status;
}

static cvk_status make_manifest(const compiled *c, output_file *to);

static const struct artefact {
    const char *word, *ending;
    artefact_maker *make;
} artefacts[] = {
    {"obj", "o", make_object},
    {"header", "h", make_header},
    {"asm", "s", make_assembly},
    {"llvm", "ll", make_llvm},
    {"explain", "explain", make_explanation},
    {"json", "json", make_manifest},
};
enum { ARTEFACTS = sizeof artefacts / sizeof *artefacts };

static const char *artefact_name(const compiled *c, int i) {
    return arena_format(c->arena, "%s.%s", c->file->stem, artefacts[i].ending);
}

/* Names what is written beside it, itself included. */
static cvk_status make_manifest(const compiled *c, output_file *to) {
    const char *files[ARTEFACTS];
    size_t count = 0;
    for (int i = 0; i < ARTEFACTS; i++)
        if (c->emits & 1u << i) files[count++] = artefact_name(c, i);
    text out = text_new(c->arena);
    const kernel_list kernels = kernels_of(c);
    cvk_status status = manifest_print(&kernels, files, count, &out);
    to->bytes = out.bytes;
    to->size = out.length;
    return status;
}

/* Which artefacts `--emit` names, as a set of bits; 0 for a word that is none, which has been reported. */
static unsigned parse_emit(const char *list) {
    unsigned set = 0;
    while (*list) {
        size_t length = strcspn(list, ",");
        unsigned found = 0;
        for (int i = 0; i < ARTEFACTS; i++)
            if (strlen(artefacts[i].word) == length && memcmp(list, artefacts[i].word, length) == 0) found = 1u << i;
        if (!found) {
            session_say("--emit takes obj, header, asm, llvm, explain and json, not `%.*s`", (int)length, list);
            return 0;
        }
        set |= found;
        list += length + (list[length] == ',');
    }
    return set;
}

/* One layer for every target; `known` is NULL where the caller is to bring the weights. */
static cvk_status plan_layer(compiled *c, size_t layer, const known_tensors *known) {
    session *s = c->session;
    cvk_status status = CVK_OK;
    for (size_t t = 0; t < c->targets && status == CVK_OK; t++) {
        compile_unit *unit = &c->units[t * c->layers + layer];
        const cvk_spec *spec =
            tuned_layer(s, c->arena, c->known, c->specs[layer], &s->targets.row[t], &c->origins[t * c->layers + layer]);
        status = compile_plan(c->arena, spec, goal_of(c, &s->targets.row[t]), NULL, s->diagnostics, unit, NULL);
        if (status == CVK_OK && known) status = bake(c->arena, unit, known);
        unit->local = layer >= c->own;
    }
    return status;
}

/* The layers of a file; they are neighbours in the session. */
static const session_layer *layers_of(const session *s, const session_file *file, size_t *count) {
    size_t first = 0;
    while (first < s->layer_count && s->layers[first].file != file) first++;
    *count = 0;
    while (first + *count < s->layer_count && s->layers[first + *count].file == file) ++*count;
    return s->layers + first;
}

/* Whether a step is run by the kernel of a layer: by its own, or one without weights in it that differs in name alone.
 */
static bool serves(const compiled *c, const cvk_spec *step, const cvk_spec *layer) {
    const bool own = strcmp(step->name, layer->name) == 0;
    return (own || !c->session->options->baked) && network_alike(c->arena, step, layer);
}

/* Which layer is each step; what is none becomes one that has no symbol. */
static void find_steps(compiled *c) {
    c->step_layer = arena_array(c->arena, size_t, c->steps->step_count + 1);
    for (int i = 0; i < c->steps->step_count; i++) {
        const cvk_spec *step = c->steps->step[i].spec;
        size_t at = 0;
        while (at < c->layers && !serves(c, step, c->specs[at])) at++;
        if (at == c->layers) {
            c->symbols[at] = arena_format(c->arena, "%s.%s", network_symbol(c), step->name);
            c->parts[at] = c->steps->step[i].parts;
            c->specs[c->layers++] = step;
        }
        c->step_layer[i] = at;
    }
}

static void make_tables(compiled *c) {
    const cvk_kernel_info **infos = arena_array(c->arena, const cvk_kernel_info *, c->steps->step_count + 1);
    c->tables = arena_array(c->arena, cvk_network_info, c->targets);
    for (size_t t = 0; t < c->targets; t++) {
        for (int i = 0; i < c->steps->step_count; i++) infos[i] = &c->units[t * c->layers + c->step_layer[i]].info;
        const network_memory memory = network_place(c->arena, c->steps, infos);
        c->tables[t] = network_table(c->arena, c->steps, &memory, infos);
    }
}

static compiled name_file(session *s, arena *a, const session_file *file, unsigned emits) {
    compiled c = {.session = s, .arena = a, .file = file, .targets = s->targets.count, .emits = emits};
    c.layer = layers_of(s, file, &c.own);
    const char *name = cvk_network_name(file->network);
    c.network = *name ? name : file->stem;
    if (session_has_network(s, file)) c.steps = network_of(a, file->network, chain_near_bytes(s->targets.row));
    const size_t most = c.own + (c.steps ? (size_t)c.steps->step_count : 0);
    c.symbols = arena_array(a, const char *, most + 1);
    c.specs = arena_array(a, const cvk_spec *, most + 1);
    c.parts = arena_array(a, network_parts, most + 1);
    for (size_t i = 0; i < c.own; i++) {
        c.specs[i] = c.layer[i].spec;
        c.parts[i] = (network_parts){1, &c.specs[i]};
        c.symbols[i] =
            header_identifier(a, arena_format(a, "%s%s_%s", s->options->prefix, c.network, c.specs[i]->name));
    }
    c.layers = c.own;
    if (c.steps) find_steps(&c);
    return c;
}

/* Whether a layer of the file a has the symbol of layer `at` of the file b. */
static bool layer_clashes(const compiled *a, const compiled *b, size_t at) {
    for (size_t i = 0; i < a->own; i++) {
        if (strcmp(a->symbols[i], b->symbols[at]) != 0) continue;
        session_say("%s: the layer `%s` and the layer `%s` of %s would both be the symbol `%s`", b->file->path,
                    b->layer[at].spec->name, a->layer[i].spec->name, a->file->path, b->symbols[at]);
        return true;
    }
    return false;
}

/* Whether two files would be written to one place, or two layers be one symbol; then it has been said. Layers of one
 * file have names of their own, of characters that symbols may have. */
static cli_exit find_clash(const compiled *all, size_t count) {
    for (const compiled *b = all; b < all + count; b++)
        for (const compiled *a = all; a < b; a++) {
            if (strcmp(a->file->stem, b->file->stem) == 0) {
                session_say("%s and %s would both be written as %s.*; compile them into different folders",
                            a->file->path, b->file->path, b->file->stem);
                return CLI_USAGE;
            }
            for (size_t i = 0; i < b->own; i++)
                if (layer_clashes(a, b, i)) return CLI_INPUT;
        }
    return CLI_DONE;
}

static cli_exit plan_file(compiled *c) {
    session *s = c->session;
    c->units = arena_array(c->arena, compile_unit, c->layers * c->targets);
    c->origins = arena_array(c->arena, const char *, c->layers * c->targets);
    for (size_t i = 0; i < c->layers; i++) {
        known_tensors known;
        const char *weights = s->options->baked;
        cli_exit read = CLI_DONE;
        if (weights) read = weights_read_all(s, c->arena, c->parts[i].layer, c->parts[i].count, weights, &known);
        if (read != CLI_DONE) return read;
        cvk_status status = plan_layer(c, i, weights ? &known : NULL);
        if (status != CVK_OK) return session_fail(s, status);
    }
    if (c->steps) make_tables(c);
    return CLI_DONE;
}

static cli_exit make_artefacts(const compiled *c, output_file *files, size_t *count) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < ARTEFACTS && status == CVK_OK; i++) {
        if (!(c->emits & 1u << i)) continue;
        output_file *to = &files[(*count)++];
        to->path = arena_format(c->arena, "%s/%s", c->session->options->directory, artefact_name(c, i));
        status = artefacts[i].make(c, to);
    }
    return status == CVK_OK ? CLI_DONE : session_fail(c->session, status);
}

static cli_exit write_files(session *s, const output_file *files, size_t count) {
    const char *directory = s->options->directory;
    if (folders_make(directory)) return session_fail(s, output_write(files, count, s->diagnostics));
    session_say("%s: cannot be made: %s", directory, strerror(errno));
    return CLI_IO;
}

static cli_exit add_depfile(session *s, arena *a, output_file *files, size_t *count) {
    const char *path = s->options->depfile;
    if (!path) return CLI_DONE;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(files[i].path, path) == 0) {
            session_say("-MD: `%s` is written already", path);
            return CLI_USAGE;
        }
    text rule = depfile_print(s, a, files, *count);
    files[(*count)++] = (output_file){path, rule.bytes, rule.length};
    return CLI_DONE;
}

static cli_exit compile_files(session *s, arena *a, void *context) {
    const unsigned *emits = context;
    compiled *all = arena_array(a, compiled, s->file_count);
    output_file *files = arena_array(a, output_file, s->file_count * ARTEFACTS + 1);
    size_t named = 0, count = 0;
    for (size_t i = 0; i < s->file_count; i++) {
        all[named] = name_file(s, a, &s->files[i], *emits);
        named += all[named].own > 0 || all[named].steps;
    }
    cli_exit status = find_clash(all, named);
    const known_plans *known = NULL;
    if (status == CLI_DONE) status = tuned_open(s, a, &known);
    for (size_t i = 0; i < named && status == CLI_DONE; i++) {
        all[i].known = known;
        status = plan_file(&all[i]);
        if (status == CLI_DONE) status = make_artefacts(&all[i], files, &count);
    }
    tuned_report(s);
    if (status == CLI_DONE) status = add_depfile(s, a, files, &count);
    return status == CLI_DONE ? write_files(s, files, count) : status;
}

static cli_exit compile_session(session *s) {
    unsigned emits = parse_emit(s->options->emit);
    return emits ? session_guarded(s, compile_files, &emits) : CLI_USAGE;
}

cli_exit cli_compile(const cli_options *options) {
    if (options->directory) return session_main(options, &(session_verb){.body = compile_session});
    session_say("compile: -o DIR says where to write to");
    return CLI_USAGE;
}
