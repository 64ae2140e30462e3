/* convoke compile: an object and a header for each spec file. Everything is made in memory first; files appear only
 * when all of it is there. */
#include "cli/describe.h"
#include "cli/header.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/weights.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The layers of a spec file that were asked for, planned: units[t * layers + l] is layer l for target t. */
typedef struct compiled {
    session *session;
    arena *arena;
    const session_file *file;
    const session_layer *layer;
    compile_unit *units;
    const char **symbols;
    size_t layers, targets;
} compiled;

/* What one --emit word makes of it. */
typedef cvk_status artefact_maker(const compiled *c, output_file *to);

static cvk_status emit(const compiled *c, emit_kind kind, output_file *to) {
    cvk_object object;
    cvk_status status =
        compile_emit(c->units, c->symbols, c->layers, c->targets, kind, c->session->diagnostics, &object, NULL);
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
    header_print(c->file->stem, c->units, c->symbols, c->layers, c->targets, &out);
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
        status =
            describe_layer(c->arena, c->units[i].spec, c->units[i].target, RUNNERS_UP, c->session->diagnostics, &x);
        if (status == CVK_OK) describe_print(&x, &out);
    }
    to->bytes = out.bytes;
    to->size = out.length;
    return status;
}

static const struct artefact {
    const char *word, *ending;
    artefact_maker *make;
} artefacts[] = {
    {"obj", "o", make_object},
    {"header", "h", make_header},
    {"asm", "s", make_assembly},
    {"llvm", "ll", make_llvm},
    {"explain", "explain", make_explanation},
};
enum { ARTEFACTS = sizeof artefacts / sizeof *artefacts };

/* Which artefacts `--emit` names, as a set of bits; 0 for a word that is none, which has been reported. */
static unsigned parse_emit(const char *list) {
    unsigned set = 0;
    while (*list) {
        size_t length = strcspn(list, ",");
        unsigned found = 0;
        for (int i = 0; i < ARTEFACTS; i++)
            if (strlen(artefacts[i].word) == length && memcmp(list, artefacts[i].word, length) == 0) found = 1u << i;
        if (!found) {
            session_say("--emit takes obj, header, asm, llvm and explain, not `%.*s`", (int)length, list);
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
    const cvk_spec *spec = c->layer[layer].spec;
    cvk_status status = CVK_OK;
    for (size_t t = 0; t < c->targets && status == CVK_OK; t++) {
        compile_unit *unit = &c->units[t * c->layers + layer];
        status = compile_plan(c->arena, spec, &s->targets.row[t], NULL, s->diagnostics, unit, NULL);
        if (status == CVK_OK && known) status = bake(c->arena, unit, known);
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

static cli_exit plan_file(session *s, arena *a, const session_file *file, compiled *c) {
    *c = (compiled){.session = s, .arena = a, .file = file, .targets = s->targets.count};
    c->layer = layers_of(s, file, &c->layers);
    c->units = arena_array(a, compile_unit, c->layers * c->targets);
    c->symbols = arena_array(a, const char *, c->layers);
    const char *name = cvk_network_name(file->network), *network = *name ? name : file->stem;
    for (size_t i = 0; i < c->layers; i++) {
        const cvk_spec *spec = c->layer[i].spec;
        c->symbols[i] = header_identifier(a, arena_format(a, "%s%s_%s", s->options->prefix, network, spec->name));
        known_tensors known;
        const char *weights = s->options->baked;
        cli_exit read = weights ? weights_read(s, a, spec, weights, &known) : CLI_DONE;
        if (read != CLI_DONE) return read;
        cvk_status status = plan_layer(c, i, weights ? &known : NULL);
        if (status != CVK_OK) return session_fail(s, status);
    }
    return CLI_DONE;
}

static cli_exit make_artefacts(const compiled *c, unsigned emits, output_file *files, size_t *count) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < ARTEFACTS && status == CVK_OK; i++) {
        if (!(emits & 1u << i)) continue;
        output_file *to = &files[(*count)++];
        to->path =
            arena_format(c->arena, "%s/%s.%s", c->session->options->directory, c->file->stem, artefacts[i].ending);
        status = artefacts[i].make(c, to);
    }
    return status == CVK_OK ? CLI_DONE : session_fail(c->session, status);
}

/* A path as make reads it. */
static void add_make_word(text *rule, const char *path) {
    for (; *path; path++) text_add(rule, "%s%c", *path == '$' ? "$" : strchr(" #", *path) ? "\\" : "", *path);
}

static void add_weights(const session *s, text *rule) {
    weights_file files[WEIGHTS_FILES];
    for (size_t l = 0; l < s->layer_count; l++) {
        weights_files(rule->arena, s->layers[l].spec, s->options->baked, files);
        for (int i = 0; i < WEIGHTS_FILES; i++) {
            if (!files[i].taken) continue;
            text_add(rule, " ");
            add_make_word(rule, files[i].path);
        }
    }
}

static void make_depfile(session *s, arena *a, const output_file *files, size_t count, output_file *to) {
    text rule = text_new(a);
    for (size_t i = 0; i < count; i++) {
        add_make_word(&rule, files[i].path);
        text_add(&rule, i + 1 < count ? " \\\n " : ":");
    }
    for (size_t i = 0; i < s->file_count; i++) {
        text_add(&rule, " ");
        add_make_word(&rule, s->files[i].path);
    }
    if (s->options->baked) add_weights(s, &rule);
    text_add(&rule, "\n");
    *to = (output_file){s->options->depfile, rule.bytes, rule.length};
}

static cli_exit write_files(session *s, const output_file *files, size_t count) {
    const char *directory = s->options->directory;
    if (mkdir(directory, 0777) == 0 || errno == EEXIST)
        return session_fail(s, output_write(files, count, s->diagnostics));
    session_say("%s: cannot be made: %s", directory, strerror(errno));
    return CLI_IO;
}

static cli_exit compile_files(session *s, arena *a, unsigned emits) {
    output_file *files = arena_array(a, output_file, s->file_count * ARTEFACTS + 1);
    size_t count = 0;
    for (size_t i = 0; i < s->file_count; i++) {
        compiled c;
        cli_exit status = plan_file(s, a, &s->files[i], &c);
        if (status == CLI_DONE && c.layers == 0) continue;
        if (status == CLI_DONE) status = make_artefacts(&c, emits, files, &count);
        if (status != CLI_DONE) return status;
    }
    if (s->options->depfile) {
        make_depfile(s, a, files, count, &files[count]);
        count++;
    }
    return write_files(s, files, count);
}

static cli_exit compile_guarded(session *s, unsigned emits) {
    arena a;
    arena_init(&a);
    cli_exit status;
    if (arena_guard(&a))
        status = session_fail(s, CVK_ERROR_MEMORY);
    else
        status = compile_files(s, &a, emits);
    arena_free(&a);
    return status;
}

cli_exit cli_compile(const cli_options *options) {
    if (!options->directory) {
        session_say("compile: -o DIR says where to write to");
        return CLI_USAGE;
    }
    unsigned emits = parse_emit(options->emit);
    if (!emits) return CLI_USAGE;
    session s;
    cli_exit status = session_open(options, &s);
    if (status == CLI_DONE) status = compile_guarded(&s, emits);
    session_close(&s);
    return status;
}
