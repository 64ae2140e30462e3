/* Completions for bash, zsh and fish, of the tables of verbs, options and arguments. */
#include "cli/options.h"
#include "cli/print.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

typedef enum argument_takes { FILES, FOLDERS, TARGETS, CHOICES, TARGET_LIST, CHOICE_LIST, ANYTHING } argument_takes;

typedef struct argument_row {
    const char *word;
    argument_takes takes;
    const char *choices;
} argument_row;

static const argument_row ARGUMENTS[] = {
#define ARGUMENT(word, takes, choices) {word, takes, choices},
#include "cli/arguments.def"
#undef ARGUMENT
};
static const argument_row NO_ARGUMENT = {"", ANYTHING, NULL};

static const argument_row *find_argument(const char *word, size_t length) {
    for (size_t i = 0; i < sizeof ARGUMENTS / sizeof *ARGUMENTS; i++)
        if (strlen(ARGUMENTS[i].word) == length && memcmp(ARGUMENTS[i].word, word, length) == 0) return &ARGUMENTS[i];
    return &NO_ARGUMENT;
}

static const argument_row *argument_of(const option_row *option) {
    return find_argument(option->argument, strlen(option->argument));
}

/* "SPEC" of "SPEC... -o DIR". */
static const argument_row *operand_of(const verb_row *verb) {
    return find_argument(verb->operands, strcspn(verb->operands, ". "));
}

/* Several words of the choices, separated by commas. */
static bool is_list(const argument_row *argument) {
    return argument->takes == TARGET_LIST || argument->takes == CHOICE_LIST;
}

static void put_choices(const argument_row *argument) {
    if (argument->takes == CHOICES || argument->takes == CHOICE_LIST) fputs(argument->choices, stdout);
    if (argument->takes != TARGETS && argument->takes != TARGET_LIST) return;
    printf("host native");
    const cvk_target *t;
    for (int i = 0; (t = target_row(i)); i++) printf(" %s", t->name);
}

static bool has_choices(const argument_row *argument) {
    return argument->takes == CHOICES || argument->takes == TARGETS || is_list(argument);
}

/* The next option of a verb from *at on, which moves past it; NULL past the last. */
static const option_row *next_option(int verb, int *at) {
    const option_row *row;
    while ((row = option_at((*at)++)))
        if (row->verbs & 1u << verb) return row;
    return NULL;
}

/* Text within single quotes of a shell, with the characters of `special` behind backslashes. */
static void put_quoted(const char *text, const char *special) {
    for (; *text; text++) {
        if (*text == '\'')
            printf("'\\''");
        else
            printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

static void put_verbs(void) {
    const verb_row *verb;
    for (int i = 0; (verb = verb_at(i)); i++) printf(" %s", verb->name);
}

static void put_bash_reply(const argument_row *argument) {
    if (is_list(argument)) {
        printf("compopt -o nospace; COMPREPLY=($(compgen -P \"$before\" -W \"");
        put_choices(argument);
        printf("\" -- \"${current##*,}\"))");
    } else if (has_choices(argument)) {
        printf("COMPREPLY=($(compgen -W \"");
        put_choices(argument);
        printf("\" -- \"$current\"))");
    } else if (argument->takes != ANYTHING) {
        printf("compopt -o filenames; COMPREPLY=($(compgen -%c -- \"$current\"))",
               argument->takes == FILES ? 'f' : 'd');
    } else {
        printf("COMPREPLY=()");
    }
    printf(" ;;\n");
}

/* After an option that takes one, its argument; else options after a dash, and operands. */
static void put_bash_verb(int index) {
    const verb_row *verb = verb_at(index);
    const option_row *option;
    for (int i = 0; (option = next_option(index, &i));) {
        if (!option->argument) continue;
        printf("    %s:%s:*) ", verb->name, option->word);
        put_bash_reply(argument_of(option));
    }
    printf("    %s:*:-*) COMPREPLY=($(compgen -W \"", verb->name);
    for (int i = 0; (option = next_option(index, &i));) printf("%s ", option->word);
    printf("\" -- \"$current\")) ;;\n    %s:*) ", verb->name);
    put_bash_reply(operand_of(verb));
}

void print_bash(void) {
    printf("# bash completion for convoke\n"
           "_convoke() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} before=\n"
           "    # of --option=value, bash makes three words\n"
           "    [[ $current == = ]] && current=\n"
           "    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "    [[ $current == *,* ]] && before=${current%%,*},\n"
           "    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        COMPREPLY=($(compgen -W \"--help --version help");
    put_verbs();
    printf("\" -- \"$current\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]}:$previous:$current in\n"
           "    help:*) COMPREPLY=($(compgen -W \"");
    put_verbs();
    printf("\" -- \"$current\")) ;;\n");
    for (int i = 0; verb_at(i); i++) put_bash_verb(i);
    printf("    esac\n"
           "}\n"
           "complete -F _convoke convoke\n");
}

static void put_zsh_action(const argument_row *argument) {
    if (is_list(argument)) {
        printf(" _values -s , %s ", argument->takes == TARGET_LIST ? "target" : "kind");
        put_choices(argument);
    } else if (has_choices(argument)) {
        putchar('(');
        put_choices(argument);
        putchar(')');
    } else if (argument->takes != ANYTHING) {
        printf(argument->takes == FILES ? "_files" : "_files -/");
    }
}

static void put_zsh_option(const option_row *option) {
    bool equals = option->argument && option->word[1] == '-'; /* --option=value as well as --option value */
    printf("            '%s%s%s[", option->kind == OPTION_LIST ? "*" : "", option->word, equals ? "=" : "");
    put_quoted(option->about, "[]:");
    putchar(']');
    if (option->argument) {
        printf(":%s:", option->argument);
        put_zsh_action(argument_of(option));
    }
    printf("' \\\n");
}

void print_zsh(void) {
    printf("#compdef convoke\n"
           "_convoke() {\n"
           "    local -a verbs\n"
           "    verbs=(\n");
    const verb_row *verb;
    for (int i = 0; (verb = verb_at(i)); i++) {
        printf("        '%s:", verb->name);
        put_quoted(verb->about, ":");
        printf("'\n");
    }
    printf("        'help:print what a verb does'\n"
           "    )\n"
           "    if ((CURRENT == 2 || (CURRENT == 3 && $words[(i)help] == 2))); then\n"
           "        _describe verb verbs\n"
           "        return\n"
           "    fi\n"
           "    shift words\n"
           "    ((CURRENT--))\n"
           "    case $words[1] in\n");
    for (int i = 0; (verb = verb_at(i)); i++) {
        printf("    %s)\n        _arguments \\\n", verb->name);
        const option_row *option;
        for (int o = 0; (option = next_option(i, &o));) put_zsh_option(option);
        printf("            '*:%s:", operand_of(verb)->word);
        put_zsh_action(operand_of(verb));
        printf("' ;;\n");
    }
    printf("    esac\n"
           "}\n"
           "_convoke \"$@\"\n");
}

/* fish tells --long, -s and -old options apart. */
static void put_fish_word(const char *word) {
    if (word[1] == '-')
        printf(" -l %s", word + 2);
    else
        printf(" -%c %s", word[2] ? 'o' : 's', word + 1);
}

static void put_fish_option(const char *verb, const option_row *option) {
    printf("complete -c convoke -n '__fish_seen_subcommand_from %s'", verb);
    put_fish_word(option->word);
    if (option->argument) {
        const argument_row *argument = argument_of(option);
        printf(argument->takes == FILES ? " -rF" : " -x");
        if (argument->takes == FOLDERS) printf(" -a '(__fish_complete_directories)'");
        if (has_choices(argument)) {
            printf(is_list(argument) ? " -a '(__fish_append , " : " -a '");
            put_choices(argument);
            printf(is_list(argument) ? ")'" : "'");
        }
    }
    printf(" -d '");
    for (const char *c = option->about; *c; c++) printf("%s%c", strchr("'\\", *c) ? "\\" : "", *c);
    printf("'\n");
}

void print_fish(void) {
    printf("# fish completion for convoke\n");
    const verb_row *verb;
    for (int i = 0; (verb = verb_at(i)); i++) {
        printf("complete -c convoke -f -n __fish_use_subcommand -a %s -d '", verb->name);
        for (const char *c = verb->about; *c; c++) printf("%s%c", strchr("'\\", *c) ? "\\" : "", *c);
        printf("'\n");
    }
    printf("complete -c convoke -f -n __fish_use_subcommand -a help -d 'print what a verb does'\n"
           "complete -c convoke -f -n '__fish_seen_subcommand_from help' -a '");
    put_verbs();
    printf("'\n");
    for (int i = 0; (verb = verb_at(i)); i++) {
        const option_row *option;
        for (int o = 0; (option = next_option(i, &o));) put_fish_option(verb->name, option);
        if (!has_choices(operand_of(verb))) continue;
        printf("complete -c convoke -f -n '__fish_seen_subcommand_from %s' -a '", verb->name);
        put_choices(operand_of(verb));
        printf("'\n");
    }
}
