#!/usr/bin/env bash
# Reads every #include of src/ and runtime/ under ROOT and holds it against rooms.txt.
set -euo pipefail
root=$1
here=$(dirname "${BASH_SOURCE[0]}")
declare -A may used
while IFS=: read -r room allowed; do
    [[ -z $room || $room == \#* ]] || may[$room]=$allowed
done <"$here/rooms.txt"

bad=0 seen=0
complain() { echo "$1" >&2; bad=1; }

# The room of a path below src/, into `found`: its folder, or src for the files of src itself.
room_of() { [[ $1 == */* ]] && found=${1%%/*} || found=src; }

cd "$root/src"
while IFS=: read -r file included; do
    seen=$((seen + 1))
    room_of "$file" && room=$found
    room_of "$included" && of=$found
    [[ -v may[$room] ]] || { complain "$file: there is no line for the room $room in rooms.txt"; continue; }
    allowed=" ${may[$file]-${may[$room]}} "
    used[$room $of]=1
    [[ $of == "$room" || $allowed == *" $of "* ]] || complain "$file includes $included: $room may not know $of"
done < <(grep -rEo '^ *# *include "[^"]+"' --include='*.[ch]' . | sed -E 's|^\./||; s|: *# *include "([^"]+)"|:\1|')
for room in "${!may[@]}"; do
    [[ $room == */* ]] && continue
    for of in ${may[$room]}; do
        [[ $of == base || -v used["$room $of"] ]] || complain "rooms.txt: $room may know $of, and does not"
    done
done
((seen > 100)) || complain "only $seen includes found"

# Who may see foreign libraries.
only() { # pattern, regular expression of files that may
    local file
    while read -r file; do
        [[ $file =~ $2 ]] || complain "$file includes $1"
    done < <(grep -rlE "# *include <$1" --include='*.[ch]' . | sed 's|^\./||')
}
only 'llvm-c/' '^llvm/'
only 'yaml\.h' '^spec/yaml\.c$'
only 'dlfcn\.h' '^cli/peers\.c$|^emit/load\.c$'
only 'jansson\.h' '^cli/|^records/|^exchange/'
only 'pthreadpool\.h|convoke/pthreadpool\.h' '^cli/'

# The public headers are C and libc alone; the runtime knows nothing of the compiler.
grep -rnE '# *include' include "$root/runtime/include/convoke/runtime.h" |
    grep -vE '<(convoke/(runtime\.h|(buffers|cpu|status)\.def)|std[a-z]+\.h)>' >&2 && complain "a public header includes more than libc"
while IFS=: read -r file included; do
    [[ -e $root/runtime/src/$included ]] || complain "$file includes $included, which is not the runtime's"
done < <(grep -rHoE '# *include "[^"]+"' "$root/runtime/src" | sed -E 's/:.*"([^"]+)"/:\1/')
exit $bad
