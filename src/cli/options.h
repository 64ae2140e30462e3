/* The command line: verbs and options as tables. */
#ifndef CVK_CLI_OPTIONS_H
#define CVK_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_exit {
#define CLI_EXIT(name, number, about) CLI_##name = (number),
#include "cli/exits.def"
#undef CLI_EXIT
} cli_exit;

enum { CLI_MOST_LIST = 16 };
typedef bool cli_FLAG;
typedef const char *cli_TEXT;
typedef unsigned long cli_COUNT;
typedef struct cli_LIST {
    const char *text[CLI_MOST_LIST];
    int count;
} cli_LIST;

/* What a verb was asked to do. */
typedef struct cli_options {
    char **specs; /* operands */
    int spec_count;
#define OPTION(member, word, kind, argument, verbs, fallback, about) cli_##kind member;
#include "cli/options.def"
#undef OPTION
} cli_options;

typedef enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_LIST } option_kind;

typedef struct option_row {
    const char *word, *argument, *fallback, *about;
    option_kind kind;
    unsigned verbs; /* 1 << verb */
    size_t offset;  /* of the member in cli_options */
} option_row;

typedef struct verb_row {
    const char *name, *about, *operands, *description, *example;
    cli_exit (*run)(const cli_options *options);
} verb_row;

/* NULL past the end. */
const verb_row *verb_at(int index);
const option_row *option_at(int index);
/* The row of a verb, or -1, having said so on stderr. */
int verb_find(const char *name);

/* Fills `options` from a verb's arguments, in place: operands move to the front. False: a message is on stderr. */
bool options_parse(int verb, int count, char **arguments, cli_options *options);

/* The numbers of a list such as "2,16,64": from 1 to `greatest`, at most `most` of them. False: it is none, which has
 * been said of that option. */
bool options_numbers(const char *verb, const char *word, const char *list, unsigned long greatest, unsigned long *to,
                     size_t most, size_t *count);

void help_command(void);
void help_verb(int verb);

#endif
