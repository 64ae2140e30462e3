#!/usr/bin/env bash
# The shared LIBRARIES export nothing but cvk_ names.
set -euo pipefail
bad=0
for library in "$@"; do
    foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | sed 's/@.*//' | grep -vE '^(cvk_|_init$|_fini$)' || true)
    [[ -z $foreign ]] || { echo "$library exports $foreign" >&2; bad=1; }
    nm -D --defined-only "$library" | grep -q ' cvk_' || { echo "$library exports nothing" >&2; bad=1; }
done
exit $bad
