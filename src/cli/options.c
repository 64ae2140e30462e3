/* Parses a verb's arguments by the table of options. Words are taken as they stand, never abbreviated; a value follows
 * its option as the next argument or, after a long one, an equals sign; `--` ends the options. */
#include "cli/options.h"
#include "base/text.h"
#include "cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
#define VERB(name, about, operands, description, example) VERB_##name,
#include "cli/verbs.def"
#undef VERB
    VERB_COUNT
};

static const verb_row VERBS[] = {
#define VERB(name, about, operands, description, example) {#name, about, operands, description, example, cli_##name},
#include "cli/verbs.def"
#undef VERB
};

static const option_row OPTIONS[] = {
#define IN(verb) (1u << VERB_##verb)
#define OPTION(member, word, kind, argument, verbs, fallback, about)                                                   \
    {word, argument, fallback, about, OPTION_##kind, verbs, offsetof(cli_options, member)},
#include "cli/options.def"
#undef OPTION
#undef IN
};
enum { OPTION_ROWS = sizeof OPTIONS / sizeof OPTIONS[0] };

const verb_row *verb_at(int index) { return index < VERB_COUNT ? &VERBS[index] : NULL; }
const option_row *option_at(int index) { return index < OPTION_ROWS ? &OPTIONS[index] : NULL; }

static void complain(const char *verb, const char *what, const char *word, const char *near) {
    fprintf(stderr, "convoke%s%s: %s `%s`\n", verb ? " " : "", verb ? verb : "", what, word);
    if (near) fprintf(stderr, "  hint: did you mean `%s`?\n", near);
    fprintf(stderr, "  see `convoke %s%s--help`\n", verb ? verb : "", verb ? " " : "");
}

int verb_find(const char *name) {
    const char *names[VERB_COUNT];
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(name, VERBS[i].name) == 0) return i;
        names[i] = VERBS[i].name;
    }
    complain(NULL, "there is no verb", name, text_nearest(name, names, VERB_COUNT));
    return -1;
}

/* "SPEC" of "SPEC... -o DIR". */
static void complain_of_missing_operand(const verb_row *verb) {
    char operand[16];
    snprintf(operand, sizeof operand, "%.*s", (int)strcspn(verb->operands, ". "), verb->operands);
    complain(verb->name, "missing is", operand, NULL);
}

/* The option an argument names; its value, if it has one in the same argument, is after the equals sign. */
static const option_row *find_option(int verb, const char *argument) {
    if (strcmp(argument, "-h") == 0) argument = "--help";
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    const char *words[OPTION_ROWS];
    size_t count = 0;
    for (int i = 0; i < OPTION_ROWS; i++) {
        const option_row *row = &OPTIONS[i];
        if (!(row->verbs & 1u << verb)) continue;
        if (strlen(row->word) == length && memcmp(argument, row->word, length) == 0) return row;
        words[count++] = row->word;
    }
    complain(VERBS[verb].name, "there is no option", argument, text_nearest(argument, words, count));
    return NULL;
}

static bool set_count(unsigned long *to, const char *value) {
    char *end;
    errno = 0;
    *to = strtoul(value, &end, 10);
    return errno == 0 && *value >= '0' && *value <= '9' && !*end;
}

bool options_numbers(const char *verb, const char *word, const char *list, unsigned long greatest, unsigned long *to,
                     size_t most, size_t *count) {
    const char *at = list;
    for (*count = 0; *count < most; at++) {
        char *end;
        errno = 0;
        to[*count] = strtoul(at, &end, 10);
        if (errno || *at < '0' || *at > '9' || to[*count] < 1 || to[*count] > greatest) break;
        ++*count;
        at = end;
        if (!*at) return true;
        if (*at != ',') break;
    }
    fprintf(stderr, "convoke %s: %s takes %s from 1 to %lu, not `%s`\n", verb, word,
            most > 1 ? "a few numbers, separated by commas," : "a number", greatest, list);
    return false;
}

static bool set_list(cli_LIST *list, const char *value) {
    if (list->count == CLI_MOST_LIST) return false;
    list->text[list->count++] = value;
    return true;
}

static bool set(const option_row *row, cli_options *options, const char *value) {
    void *to = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG: *(cli_FLAG *)to = true; return true;
    case OPTION_TEXT: *(cli_TEXT *)to = value; return true;
    case OPTION_COUNT: return set_count(to, value);
    case OPTION_LIST: return set_list(to, value);
    }
    return false;
}

/* Takes the option at arguments[*at] and its value; leaves *at on the last argument taken. */
static bool take_option(int verb, int count, char **arguments, int *at, cli_options *options) {
    const option_row *row = find_option(verb, arguments[*at]);
    if (!row) return false;
    const char *equals = row->word[1] == '-' ? strchr(arguments[*at], '=') : NULL;
    const char *value = equals ? equals + 1 : NULL;
    if (row->kind == OPTION_FLAG && value) {
        complain(VERBS[verb].name, "no value belongs to", row->word, NULL);
        return false;
    }
    if (row->kind != OPTION_FLAG && !value) value = ++*at < count ? arguments[*at] : NULL;
    if (row->kind != OPTION_FLAG && !value) {
        complain(VERBS[verb].name, "a value is missing after", row->word, NULL);
        return false;
    }
    if (set(row, options, value)) return true;
    complain(VERBS[verb].name, row->kind == OPTION_COUNT ? "a number is expected, not" : "there are too many of",
             row->kind == OPTION_COUNT ? value : row->word, NULL);
    return false;
}

static void set_fallbacks(int verb, cli_options *options) {
    memset(options, 0, sizeof *options);
    for (int i = 0; i < OPTION_ROWS; i++)
        if (OPTIONS[i].fallback && OPTIONS[i].verbs & 1u << verb) set(&OPTIONS[i], options, OPTIONS[i].fallback);
}

bool options_parse(int verb, int count, char **arguments, cli_options *options) {
    set_fallbacks(verb, options);
    options->specs = arguments;
    bool operands_only = false;
    for (int i = 0; i < count; i++) {
        char *argument = arguments[i];
        bool is_option = !operands_only && argument[0] == '-' && argument[1];
        if (is_option && strcmp(argument, "--") == 0)
            operands_only = true;
        else if (!is_option)
            options->specs[options->spec_count++] = argument;
        else if (!take_option(verb, count, arguments, &i, options))
            return false;
    }
    if (options->help || options->spec_count) return true;
    complain_of_missing_operand(&VERBS[verb]);
    return false;
}
