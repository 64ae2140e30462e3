#!/usr/bin/env bash
# needed.sh FILE LIBRARIES…: FILE, a program or a shared object, asks the loader for these libraries and no others (their
# names without .so and version). What a rival brings, or OpenMP, would show here.
set -euo pipefail
file=$1
allowed=" ${*:2} "
bad=0 seen=0
for library in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    seen=$((seen + 1))
    name=${library%%.so*}
    # A sanitizer's own libraries come with a build that asks for it.
    [[ $allowed == *" $name "* || $name =~ ^(ld-linux|libasan|libubsan|libtsan|libclang_rt|libresolv|libgcc_s) ]] ||
        { echo "$file needs $library" >&2; bad=1; }
done
((seen)) || { echo "$file: nothing was read" >&2; bad=1; }
exit $bad
