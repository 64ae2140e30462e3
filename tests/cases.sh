# Sourced by the harnesses: named cases, each run in an empty folder of its own below $scratch, counted. What a case lacks
# is named beside it.

fail() { echo "    $1"; touch ../failed; }
lacks() { echo "$1" >>../skipped; }   # the case goes on without
skip() { lacks "$1"; exit; }          # and does not
needs() { local tool; for tool in "$@"; do command -v "$tool" >/dev/null || skip "there is no $tool"; done; }

# Cases whose names match a regular expression, or all.
run_cases() {
    local name passed=0 failed=0 skipped=0
    for name in $(declare -F | awk '$3 ~ /^case_/ {print $3}'); do
        [[ $name =~ ${1:-.} ]] || continue
        rm -rf "$scratch"/{case,failed,skipped,out,err,status,why} && mkdir "$scratch/case"
        (cd "$scratch/case" && "$name")
        if [[ -e $scratch/failed ]]; then
            echo "FAILED  $name"
            failed=$((failed + 1))
        elif [[ -e $scratch/skipped ]]; then
            echo "skipped $name: $(sort -u "$scratch/skipped" | paste -sd ';')"
            skipped=$((skipped + 1))
        else
            passed=$((passed + 1))
        fi
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    ((passed > 0 && failed == 0))
}
