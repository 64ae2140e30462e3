/* Bytes: what must hold of a file before libyaml sees it. Needs raw bytes; leaves UTF-8 text free of NUL, control
 * characters and line breaks that editors disagree about. libyaml takes most of these, so they are refused here. */
#include "spec/yaml.h"
#include "spec/limits.h"

#include <string.h>

/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
uint32_t yaml_decode(const unsigned char *bytes, size_t available, size_t *length) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = bytes[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    *length = 0;
    if (n == 0 || n > available) return 0;
    uint32_t code_point = n == 1 ? lead : lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
        code_point = code_point << 6 | (bytes[i] & 0x3F);
    }
    bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < least[n] || code_point > 0x10FFFF || surrogate) return 0;
    *length = n;
    return code_point;
}

const char *yaml_forbidden_character(uint32_t c) {
    static const struct {
        uint32_t first, last;
        const char *name;
    } forbidden[] = {
        {0x00, 0x00, "NUL"},
        {0x01, 0x08, "a control character"},
        {0x0B, 0x0C, "a control character"},
        {0x0E, 0x1F, "a control character"},
        {0x7F, 0x84, "a control character"},
        {0x85, 0x85, "the line break NEL"},
        {0x86, 0x9F, "a control character"},
        {0x2028, 0x2028, "the line break LS"},
        {0x2029, 0x2029, "the line break PS"},
        {0xFEFF, 0xFEFF, "a byte order mark inside the text"},
        {0xFFFE, 0xFFFF, "no character at all"},
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (c >= forbidden[i].first && c <= forbidden[i].last) return forbidden[i].name;
    return NULL;
}

static bool starts_with(const char *bytes, size_t length, const char *start, size_t start_length) {
    return length >= start_length && memcmp(bytes, start, start_length) == 0;
}

/* By their byte order marks, or by the NUL beside a first ASCII character. */
static const char *other_encoding(const char *bytes, size_t length) {
    static const struct {
        const char *name, *start;
        size_t length;
    } marks[] = {{"UTF-32", "\xFF\xFE\0\0", 4},
                 {"UTF-32", "\0\0\xFE\xFF", 4},
                 {"UTF-16", "\xFF\xFE", 2},
                 {"UTF-16", "\xFE\xFF", 2}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (starts_with(bytes, length, marks[i].start, marks[i].length)) return marks[i].name;
    bool wide =
        length >= 4 && ((bytes[0] && !bytes[1] && bytes[2] && !bytes[3]) || (!bytes[0] && bytes[1] && !bytes[2]));
    return wide ? "UTF-16" : NULL;
}

/* Says what is wrong with the character at `at`, if anything is. */
static bool check_character(uint32_t c, size_t length, unsigned char byte, place at, report *r) {
    const char *forbidden = length ? yaml_forbidden_character(c) : NULL;
    bool line_break = c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!length)
        report_error(r, E_ENCODING, at, "save the file as UTF-8", "byte 0x%02X is not UTF-8", byte);
    else if (forbidden && line_break)
        report_error(r, E_LINE_BREAK, at, "end lines with LF or CR LF", "U+%04X, %s", c, forbidden);
    else if (forbidden)
        report_error(r, E_CHARACTER, at, NULL, "U+%04X, %s", c, forbidden);
    return length && !forbidden;
}

bool yaml_check_bytes(const char *bytes, size_t length, const char *file, report *r) {
    place at = {file, 0, 0};
    if (length > LIMIT_FILE_BYTES) {
        report_error(r, E_FILE_LIMIT, at, NULL, "the file is over the limit of %d bytes", (int)LIMIT_FILE_BYTES);
        return false;
    }
    at.line = at.column = 1;
    const char *encoding = other_encoding(bytes, length);
    if (encoding) {
        report_error(r, E_ENCODING, at, "save the file as UTF-8", "the file is %s", encoding);
        return false;
    }
    bool sound = true;
    size_t step = starts_with(bytes, length, "\xEF\xBB\xBF", 3) ? 3 : 0; /* a leading mark is what some editors write */
    for (size_t i = step; i < length; i += step) {
        uint32_t c = yaml_decode((const unsigned char *)bytes + i, length - i, &step);
        bool lone_cr = c == '\r' && (i + 1 == length || bytes[i + 1] != '\n');
        if (lone_cr) report_error(r, E_LINE_BREAK, at, "end lines with LF or CR LF", "a CR without LF");
        sound = check_character(c, step, (unsigned char)bytes[i], at, r) && sound && !lone_cr;
        if (!step) return false; /* what follows is as likely in another encoding */
        at.column++;
        if (c == '\n') at = (place){file, at.line + 1, 1};
    }
    return sound;
}
