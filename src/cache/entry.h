/* An entry of the disk cache: one file, self-contained.
 *
 *     offset  bytes
 *          0      8  "CONVOKE" and NUL
 *          8      4  version of this format
 *         12      4  bytes of the key
 *         16      8  bytes of the object
 *         24      8  XXH3, 64 bits, of all bytes but these eight
 *         32      …  the key, filled up with NUL to a multiple of 8
 *                 …  the object
 *
 * All numbers are in the byte order of the machine. The checksum finds damage; it is no signature, and whoever may
 * write the directory may run code in the programs that read it. */
#ifndef CVK_CACHE_ENTRY_H
#define CVK_CACHE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENTRY_NAME_SIZE = 40, ENTRY_MOST_BYTES = 1 << 26 };

/* The file name of a key: 128 bits of hash in hexadecimal, and ".cvk". */
void entry_name(const char *key, char name[ENTRY_NAME_SIZE]);
/* The 64-bit hash of a key, for tables in memory. */
uint64_t entry_hash(const char *key);

/* A file's bytes, from malloc; NULL if there is no memory or the entry would be larger than ENTRY_MOST_BYTES. */
unsigned char *entry_encode(const char *key, const unsigned char *object, size_t object_size, size_t *size);
/* The object inside, if the bytes are whole and of this very key. `bytes` are aligned for any object. */
bool entry_decode(const unsigned char *bytes, size_t size, const char *key, const unsigned char **object,
                  size_t *object_size);

#endif
