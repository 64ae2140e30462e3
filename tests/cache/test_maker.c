/* What one libLLVM made is not used when another is in its place. */
#include "folder.h"

#include "cache/maker.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const unsigned char OBJECT[] = "an object";

static void write_file(const char *path, const char *words) {
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(words, file);
    fclose(file);
}

static bool there(const unsigned char *bytes, size_t size) {
    const unsigned char *object;
    size_t object_size;
    if (!maker_is_there(bytes, size, &object, &object_size)) return false;
    cr_assert(object_size == sizeof OBJECT && memcmp(object, OBJECT, sizeof OBJECT) == 0);
    return true;
}

Test(cache_maker, an_object_is_used_while_the_library_that_made_it_is_there_as_it_was) {
    char path[] = "/tmp/cvk-maker-XXXXXX";
    size_t size;
    close(mkstemp(path));
    write_file(path, "a library");
    unsigned char *bytes = maker_sign(path, OBJECT, sizeof OBJECT, &size);
    cr_assert(bytes);
    cr_assert(there(bytes, size));
    write_file(path, "a library that is longer");
    cr_assert_not(there(bytes, size), "another size");
    write_file(path, "a librarx");
    cr_assert_not(there(bytes, size), "another time");
    unlink(path);
    cr_assert_not(there(bytes, size), "none");
    free(bytes);
}

Test(cache_maker, a_library_without_a_name_is_taken_for_unchanged) {
    size_t size;
    unsigned char *bytes = maker_sign("", OBJECT, sizeof OBJECT, &size);
    cr_assert(bytes && there(bytes, size));
    free(bytes);
}

Test(cache_maker, what_nobody_signed_is_not_used) {
    static const char *const words[] = {"", "1 2", "1 2.3 /etc/passwd",
                                        ("\x7f"
                                         "ELF")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        cr_assert_not(there((const unsigned char *)words[i], strlen(words[i])), "without an end");
        cr_assert_not(there((const unsigned char *)words[i], strlen(words[i]) + 1), "with one");
    }
}
