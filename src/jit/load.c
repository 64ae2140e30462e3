/* Loads a relocatable ELF object. Needs bytes that may come from anywhere, so every offset is checked; gives one
 * mapping: code pages first, then data pages. Pages are written while they are not executable and executable when no
 * longer writable. The objects have no undefined symbols, so relocation needs nothing from the process. */
#include "jit/load.h"

#include "jit/tools.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { HOST_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { HOST_MACHINE = EM_AARCH64 };
#else
enum { HOST_MACHINE = EM_NONE };
#endif

enum { MOST_SECTIONS = 4096, MOST_BYTES = 1 << 28 };

typedef struct loader {
    const unsigned char *bytes;
    size_t size;
    const Elf64_Shdr *section;
    unsigned sections;
    const Elf64_Sym *symbol;
    size_t symbols;
    const char *names; /* of symbols; NUL-terminated as a whole */
    size_t names_size;
    size_t place[MOST_SECTIONS]; /* where a section goes in the mapping */
    unsigned char *base;
    cvk_diagnostics *diagnostics;
} loader;

static cvk_status refuse(const loader *l, const char *why) {
    diag_error(l->diagnostics, E_LOAD, (place){.file = ""}, NULL, "loading an object: %s", why);
    return CVK_ERROR_INTERNAL;
}

static bool inside(const loader *l, uint64_t offset, uint64_t length) {
    return offset <= l->size && length <= l->size - offset;
}

static bool section_inside(const loader *l, const Elf64_Shdr *s) {
    return s->sh_type == SHT_NOBITS || inside(l, s->sh_offset, s->sh_size);
}

static cvk_status read_headers(loader *l) {
    Elf64_Ehdr header;
    if (l->size < sizeof header) return refuse(l, "too short for a header");
    memcpy(&header, l->bytes, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_REL)
        return refuse(l, "not a 64-bit little-endian relocatable ELF file");
    if (header.e_machine != HOST_MACHINE) return refuse(l, "made for another machine");
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum == 0 || header.e_shnum > MOST_SECTIONS ||
        header.e_shoff % 8 != 0 || !inside(l, header.e_shoff, (uint64_t)header.e_shnum * sizeof(Elf64_Shdr)))
        return refuse(l, "its section table is out of bounds");
    l->section = (const Elf64_Shdr *)(const void *)(l->bytes + header.e_shoff);
    l->sections = header.e_shnum;
    for (unsigned i = 0; i < l->sections; i++)
        if (!section_inside(l, &l->section[i])) return refuse(l, "a section is out of bounds");
    return CVK_OK;
}

static cvk_status read_symbols(loader *l) {
    for (unsigned i = 0; i < l->sections; i++) {
        const Elf64_Shdr *s = &l->section[i];
        if (s->sh_type != SHT_SYMTAB) continue;
        if (s->sh_link >= l->sections || s->sh_offset % 8 != 0) return refuse(l, "its symbol table is ill-formed");
        const Elf64_Shdr *names = &l->section[s->sh_link];
        if (names->sh_type != SHT_STRTAB || names->sh_size == 0 || l->bytes[names->sh_offset + names->sh_size - 1] != 0)
            return refuse(l, "its symbol names are ill-formed");
        l->symbol = (const Elf64_Sym *)(const void *)(l->bytes + s->sh_offset);
        l->symbols = s->sh_size / sizeof(Elf64_Sym);
        l->names = (const char *)l->bytes + names->sh_offset;
        l->names_size = names->sh_size;
        return CVK_OK;
    }
    return refuse(l, "it has no symbols");
}

/* Unwind tables are for debuggers, who want them near the code. */
static bool loaded(const Elf64_Shdr *s) {
    bool memory = s->sh_type == SHT_PROGBITS || s->sh_type == SHT_NOBITS || s->sh_type == SHT_X86_64_UNWIND;
    return (s->sh_flags & SHF_ALLOC) && memory && s->sh_size > 0;
}

/* Gives every section of one kind, code or data, its place from `at` on. */
static bool lay_out(loader *l, bool code, size_t *at) {
    for (unsigned i = 0; i < l->sections; i++) {
        const Elf64_Shdr *s = &l->section[i];
        if (!loaded(s) || ((s->sh_flags & SHF_EXECINSTR) != 0) != code) continue;
        uint64_t align = s->sh_addralign ? s->sh_addralign : 1;
        if ((align & (align - 1)) != 0 || align > 4096 || s->sh_size > MOST_BYTES) return false;
        *at = (*at + align - 1) & ~(align - 1);
        l->place[i] = *at;
        *at += s->sh_size;
        if (*at > MOST_BYTES) return false;
    }
    return true;
}

static cvk_status symbol_value(const loader *l, size_t index, uint64_t *value) {
    if (index >= l->symbols) return refuse(l, "a symbol is out of bounds");
    const Elf64_Sym *s = &l->symbol[index];
    if (s->st_shndx == SHN_UNDEF || s->st_shndx >= l->sections || !loaded(&l->section[s->st_shndx]) ||
        s->st_value > l->section[s->st_shndx].sh_size)
        return refuse(l, "a symbol is not defined in it");
    *value = (uint64_t)(uintptr_t)l->base + l->place[s->st_shndx] + s->st_value;
    return CVK_OK;
}

/* Writes the low bytes of a relocated value; false where it does not fit or the kind is unknown. */
static bool apply(unsigned kind, uint64_t where, uint64_t value, size_t room) {
    int64_t relative = (int64_t)(value - where);
    bool wide = kind == R_X86_64_64 || kind == R_X86_64_PC64, absolute = kind == R_X86_64_64;
    if (HOST_MACHINE != EM_X86_64 || room < (wide ? 8u : 4u)) return false;
    if (!wide && kind != R_X86_64_PC32 && kind != R_X86_64_PLT32) return false;
    if (!wide && relative != (int32_t)relative) return false;
    uint64_t written = absolute ? value : (uint64_t)relative;
    memcpy((void *)(uintptr_t)where, &written, wide ? 8 : 4);
    return true;
}

static cvk_status relocate_section(loader *l, const Elf64_Shdr *s) {
    const Elf64_Shdr *target = &l->section[s->sh_info];
    for (size_t i = 0; i < s->sh_size / sizeof(Elf64_Rela); i++) {
        Elf64_Rela r;
        memcpy(&r, l->bytes + s->sh_offset + i * sizeof r, sizeof r);
        uint64_t value;
        cvk_status status = symbol_value(l, ELF64_R_SYM(r.r_info), &value);
        if (status) return status;
        if (r.r_offset > target->sh_size) return refuse(l, "a relocation is out of bounds");
        uint64_t where = (uint64_t)(uintptr_t)l->base + l->place[s->sh_info] + r.r_offset;
        if (!apply((unsigned)ELF64_R_TYPE(r.r_info), where, value + (uint64_t)r.r_addend, target->sh_size - r.r_offset))
            return refuse(l, "a relocation of a kind it should not have");
    }
    return CVK_OK;
}

static cvk_status relocate(loader *l) {
    for (unsigned i = 0; i < l->sections; i++) {
        const Elf64_Shdr *s = &l->section[i];
        if (s->sh_type != SHT_RELA) continue;
        if (s->sh_info >= l->sections) return refuse(l, "a relocation is out of bounds");
        if (!loaded(&l->section[s->sh_info]) || l->section[s->sh_info].sh_type == SHT_NOBITS) continue;
        cvk_status status = relocate_section(l, s);
        if (status) return status;
    }
    return CVK_OK;
}

static cvk_status find_symbol(const loader *l, const char *name, const void **address) {
    size_t length = strlen(name);
    for (size_t i = 1; i < l->symbols; i++) {
        uint32_t at = l->symbol[i].st_name;
        if (at >= l->names_size || l->names_size - at <= length || strcmp(l->names + at, name) != 0) continue;
        uint64_t value;
        cvk_status status = symbol_value(l, i, &value);
        if (!status) *address = (const void *)(uintptr_t)value;
        return status;
    }
    return refuse(l, "it lacks the kernel's symbol");
}

static void copy_sections(loader *l) {
    for (unsigned i = 0; i < l->sections; i++) {
        const Elf64_Shdr *s = &l->section[i];
        if (loaded(s) && s->sh_type != SHT_NOBITS) memcpy(l->base + l->place[i], l->bytes + s->sh_offset, s->sh_size);
    }
}

static cvk_status fill(loader *l, size_t code_size, size_t size, const char *symbol, const void **address) {
    copy_sections(l);
    cvk_status status = relocate(l);
    if (!status) status = find_symbol(l, symbol, address);
    if (status) return status;
    if (mprotect(l->base, code_size, PROT_READ | PROT_EXEC) != 0 ||
        (size > code_size && mprotect(l->base + code_size, size - code_size, PROT_READ) != 0))
        return refuse(l, strerror(errno));
    __builtin___clear_cache((char *)l->base, (char *)l->base + code_size);
    return CVK_OK;
}

static void name_functions(const loader *l) {
    for (size_t i = 1; i < l->symbols; i++) {
        const Elf64_Sym *s = &l->symbol[i];
        if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || s->st_name >= l->names_size || s->st_shndx >= l->sections)
            continue;
        perf_map_add(l->names + s->st_name, l->base + l->place[s->st_shndx] + s->st_value, s->st_size);
    }
}

/* A copy of the object that says where its sections are in memory. */
static struct gdb_entry *show_debugger(const loader *l) {
    unsigned char *copy = malloc(l->size);
    if (!copy) return NULL;
    memcpy(copy, l->bytes, l->size);
    for (unsigned i = 0; i < l->sections; i++) {
        uint64_t address = (uint64_t)(uintptr_t)l->base + l->place[i];
        size_t at = (size_t)((const unsigned char *)&l->section[i].sh_addr - l->bytes);
        if (loaded(&l->section[i])) memcpy(copy + at, &address, sizeof address);
    }
    return gdb_add(copy, l->size);
}

cvk_status jit_load(const unsigned char *object, size_t size, const char *symbol, cvk_diagnostics *d, jit_image *image,
                    const void **address) {
    *image = (jit_image){0};
    loader l = {.bytes = object, .size = size, .diagnostics = d};
    cvk_status status = read_headers(&l);
    if (!status) status = read_symbols(&l);
    if (status) return status;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), end = 0;
    if (!lay_out(&l, true, &end)) return refuse(&l, "a section is too large or oddly aligned");
    size_t code_size = (end + page - 1) / page * page;
    end = code_size;
    if (!lay_out(&l, false, &end)) return refuse(&l, "a section is too large or oddly aligned");
    size_t total = (end + page - 1) / page * page;
    if (total == 0) return refuse(&l, "it is empty");
    l.base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (l.base == MAP_FAILED) return refuse(&l, strerror(errno));
    *image = (jit_image){.base = l.base, .size = total};
    status = fill(&l, code_size, total, symbol, address);
    if (status) {
        jit_unload(image);
        return status;
    }
    if (tools_want("CONVOKE_PERF_MAP")) name_functions(&l);
    if (tools_want("CONVOKE_GDB")) image->debugger = show_debugger(&l);
    return CVK_OK;
}

void jit_unload(jit_image *image) {
    gdb_remove(image->debugger);
    if (image->base) munmap(image->base, image->size);
    *image = (jit_image){0};
}
