#!/usr/bin/env bash
# The shared libraries RUNTIME and OTHERS export nothing but cvk_ names, and the runtime needs libc alone.
set -euo pipefail
runtime=$1
bad=0
for library in "$@"; do
    foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | sed 's/@.*//' | grep -vE '^(cvk_|_init$|_fini$)' || true)
    [[ -z $foreign ]] || { echo "$library exports $foreign" >&2; bad=1; }
    nm -D --defined-only "$library" | grep -q ' cvk_' || { echo "$library exports nothing" >&2; bad=1; }
done
needed=$(readelf -d "$runtime" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for library in $needed; do
    # A sanitizer's own libraries come with a build that asks for it.
    [[ $library =~ ^(libc\.so|ld-linux|libasan|libubsan|libtsan|libclang_rt) ]] || { echo "$runtime needs $library" >&2; bad=1; }
done
exit $bad
