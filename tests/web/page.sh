#!/usr/bin/env bash
# Does the page of examples/web show what the interpreter computes? CONVOKE ROOT
convoke=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../cross/tools.sh"
python=/usr/bin/python3
need node wasm-ld-19 $python
"$python" -c 'import numpy' 2>/dev/null || { echo "skipped: there is no numpy"; exit 77; }
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "skipped: chromium is not installed"; exit 77; }

CONVOKE=$convoke "$root/examples/web/build.sh" "$scratch"
! grep -oE '(src|href)=|https?:|url\(' "$scratch/index.html" || fail "the page wants something from elsewhere"
node "$here/browse.js" "$browser" "$scratch/index.html" "$scratch" || exit
"$python" "$here/pixels.py" "$convoke" "$root/examples/web" "$scratch"
