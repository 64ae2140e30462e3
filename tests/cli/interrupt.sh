#!/usr/bin/env bash
# Ctrl-C at any moment leaves no file half-written and no temporary behind.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

# Whether every file here is as it should be, and nothing else is.
whole() {
    local file
    for file in "$1"/*; do
        [[ -e $file ]] || continue
        [[ -e whole/${file##*/} ]] || fail "$file was left behind"
        same "$file" "whole/${file##*/}"
    done
}

case_compile_is_interrupted_anywhere() {
    local spec="$root/specs/lenet.yaml" delay
    "$command" compile "$spec" -o whole || fail "the compile itself"
    for delay in 0.01 0.03 0.05 0.08 0.12 0.16 0.2 0.3 0.4 0.6; do
        timeout --foreground -s INT $delay "$command" compile "$spec" -o part >/dev/null 2>&1
        whole part
    done
}

case_a_file_that_was_there_stays_whole() {
    local spec="$root/specs/lenet.yaml" delay
    "$command" compile "$spec" -o whole || fail "the compile itself"
    cp -r whole part
    for delay in 0.05 0.1 0.2 0.3; do
        timeout --foreground -s INT $delay "$command" compile "$spec" -o part >/dev/null 2>&1
        files part "lenet.h lenet.o"
        whole part
    done
}

case_an_interrupt_ends_the_command() {
    timeout --foreground -s INT 0.2 "$command" check "$root/specs/vgg16.yaml" >/dev/null 2>&1
    [[ $? == 124 ]] || fail "check went on, or ended before"
}

run_cases
