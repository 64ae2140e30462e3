/* YAML: from the bytes of a file to a tree of nodes, and every part of YAML that a spec may not use refused by name. */
#ifndef CVK_SPEC_YAML_H
#define CVK_SPEC_YAML_H

#include "spec/report.h"
#include "base/node.h"
#include "base/arena.h"
#include <stdint.h>

/* The root of the one document, or NULL where the report says why not. Goes to the arena's guard when out of memory. */
const node *yaml_read(arena *a, const char *bytes, size_t length, const char *file, report *r);

/* The first half of it: true if every byte is part of a character that may stand in a spec. */
bool yaml_check_bytes(const char *bytes, size_t length, const char *file, report *r);

/* NULL if the character may stand in a spec, else what it is called. Tab, LF and CR may. */
const char *yaml_forbidden_character(uint32_t code_point);

/* The code point at `bytes`, and its length in bytes; length 0 if the bytes are not UTF-8. */
uint32_t yaml_decode(const unsigned char *bytes, size_t available, size_t *length);

#endif
