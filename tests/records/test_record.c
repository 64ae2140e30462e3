/* One record: to a line of JSON and back. */
#include "folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every member of the table something that is not what it is without being given. */
static record full_record(void) {
    record r = record_new();
    const record_field *f;
    for (int i = 0; (f = record_field_row(i)); i++) {
        void *to = (char *)&r + f->offset;
        switch (f->type) {
        case RECORD_TEXT: *(record_TEXT *)to = f->name; break;
        case RECORD_NUMBER: *(double *)to = 0.1 * (i + 1); break;
        case RECORD_INTEGER: *(int64_t *)to = 1000000007LL * (i + 1); break;
        case RECORD_FLAG: *(bool *)to = true; break;
        case RECORD_KIND: *(record_kind *)to = RECORD_MATCH; break;
        case RECORD_OUTCOME: *(record_outcome *)to = OUTCOME_TIMEOUT; break;
        }
    }
    return r;
}

static void expect_round_trip(const record *r) {
    arena a;
    record back;
    arena_init(&a);
    char *line = record_print(r);
    cr_assert(!strchr(line, '\n'));
    cr_assert(record_parse(&a, line, strlen(line), &back), "%s", line);
    char *again = record_print(&back);
    cr_assert_str_eq(line, again);
    free(line);
    free(again);
    arena_free(&a);
}

Test(record, every_member_is_read_back) {
    const record all = full_record(), some = trial_record(7), none = record_new();
    expect_round_trip(&all);
    expect_round_trip(&some);
    char *line = record_print(&all);
    const record_field *f;
    for (int i = 0; (f = record_field_row(i)); i++) cr_assert(strstr(line, f->name), "%s is not in %s", f->name, line);
    free(line);
    cr_assert(isnan(none.seconds));
}

Test(record, what_is_no_record_is_refused) {
    static const char *const lines[] = {"",
                                        "{}",
                                        "[]",
                                        "null",
                                        "{\"layer\":\"a\"}",
                                        "{\"layer\":\"a\",\"plan\":1}",
                                        "{\"layer\":\"a\",\"plan\":\"b\",\"kind\":\"other\"}",
                                        "{\"layer\":\"a\",\"plan\":\"b\",\"seconds\":\"fast\"}",
                                        "{\"layer\":\"a\",\"plan\":\"b\"} {}",
                                        "{\"layer\":\"a\",\"plan\":\"b\\u0000\"}"};
    arena a;
    record r;
    arena_init(&a);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect(!record_parse(&a, lines[i], strlen(lines[i]), &r), "%s", lines[i]);
    arena_free(&a);
}

Test(record, members_of_later_versions_are_ignored) {
    static const char line[] = "{\"layer\":\"a\",\"plan\":\"b\",\"later\":[1,2],\"trial\":3}";
    arena a;
    record r;
    arena_init(&a);
    cr_assert(record_parse(&a, line, strlen(line), &r));
    cr_assert_eq(r.trial, 3);
    arena_free(&a);
}

Test(record, a_layer_is_the_same_whatever_its_name_and_its_schedule) {
    arena a;
    arena_init(&a);
    cvk_network *network = parse_layer(one_layer);
    cvk_spec layer = *cvk_network_layer(network, 0);
    const goal aim = {.target = target_host()}, threads = {.target = target_host(), .threads = 2};
    const record first = record_of(&a, &layer, aim);
    layer.name = "two";
    layer.schedule = &(layer_plan){.count = 1, .part = &(cvk_plan){.algorithm = "direct"}};
    const record second = record_of(&a, &layer, aim), third = record_of(&a, &layer, threads);
    cr_expect(record_same_key(&first, &second));
    cr_expect(!record_same_key(&first, &third));
    layer.out_channels++;
    const record other = record_of(&a, &layer, aim);
    cr_expect(!record_same_key(&first, &other));
    cr_assert_str_eq(second.name, "two");
    const cvk_spec *back = record_spec(&a, &first);
    cr_assert(back && back->in_channels == 16 && back->kernel[2] == 3);
    cvk_network_free(network);
    arena_free(&a);
}
