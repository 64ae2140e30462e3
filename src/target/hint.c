/* What to say of a name that target_find does not know: the slip it may be, what it may mean, or where the names are.
 */
#include "target/target.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_NAMES = 512, MOST_SHOWN = 4 };

static const struct hint {
    const char *begins, *words;
} HINTS[] = {
#define HINT(begins, words) {begins, words},
#include "target/hints.def"
#undef HINT
};

static bool begins(const char *word, const char *with) { return strncasecmp(word, with, strlen(with)) == 0; }

static const char *meaning(const char *name) {
    for (size_t i = 0; i < sizeof HINTS / sizeof *HINTS; i++)
        if (begins(name, HINTS[i].begins)) return HINTS[i].words;
    return NULL;
}

static size_t all_names(const char *names[MOST_NAMES]) {
    size_t count = 0;
    names[count++] = "host";
    names[count++] = "native";
    for (int i = 0; count < MOST_NAMES && target_name(i); i++) names[count++] = target_name(i);
    return count;
}

/* The first few names that begin with the word: "`a` or `b`". How many. */
static int completions(const char *word, const char *const *names, size_t count, char *to, size_t size) {
    int found = 0;
    size_t length = 0;
    for (size_t i = 0; i < count && found < MOST_SHOWN && length < size; i++) {
        if (!begins(names[i], word)) continue;
        length += (size_t)snprintf(to + length, size - length, "%s`%s`", found++ ? " or " : "", names[i]);
    }
    return found;
}

target_hint_text target_hint(const char *name) {
    target_hint_text hint;
    const char *names[MOST_NAMES], *words = meaning(name);
    char list[sizeof hint.text / 2] = "";
    size_t count = all_names(names);
    const char *near = text_nearest(name, names, count);
    if (near)
        snprintf(hint.text, sizeof hint.text, "did you mean `%s`?", near);
    else if (words)
        snprintf(hint.text, sizeof hint.text, "%s", words);
    else if (*name && completions(name, names, count, list, sizeof list))
        snprintf(hint.text, sizeof hint.text, "did you mean %s?", list);
    else
        snprintf(hint.text, sizeof hint.text, "`convoke print targets` and `convoke print cpus` list those there are");
    return hint;
}
