#include "folder.h"

#include "compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char one_layer[] =
    "version: 1\nlayers: [{name: one, input: [1, 16, 12, 12], out_channels: 32, kernel_size: 3}]\n";

folder folder_make(void) {
    folder f = {"/tmp/convoke-records-XXXXXX"};
    cr_assert(mkdtemp(f.path));
    return f;
}

void folder_remove(const folder *f) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->path);
    cr_assert_eq(system(command), 0);
}

const char *folder_file(const folder *f, arena *a) {
    char **names;
    size_t count;
    cr_assert_eq(database_files(a, f->path, NULL, &names, &count), CVK_OK);
    cr_assert_eq(count, 1, "%zu files, not one", count);
    return arena_format(a, "%s/%s", f->path, names[0]);
}

record trial_record(int64_t number) {
    record r = record_new();
    r.layer = "{name: layer, input: [1, 3, 8, 8], out_channels: 4, kernel_size: 3}";
    r.plan = "{algorithm: direct}";
    r.name = "one";
    r.target = "x86-64-v3";
    r.cpu = "A \"CPU\",\n\tof \xc3\xa9tude";
    r.seconds = 1.0 / (double)(number + 3);
    r.trial = number;
    return r;
}

cvk_network *parse_layer(const char *yaml) {
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test", NULL, &network), CVK_OK);
    return network;
}

cvk_plan model_plan(arena *a, const cvk_spec *spec, goal aim, int rank) {
    ranked_layer *plans;
    int count;
    cr_assert_eq(compile_rank(a, spec, aim, rank + 1, NULL, &plans, &count), CVK_OK);
    cr_assert_gt(count, rank);
    return *layer_plan_part(&plans[rank].plan, 0);
}

long amount(const char *variable, long otherwise) {
    const char *given = getenv(variable);
    return given ? atol(given) : otherwise;
}
