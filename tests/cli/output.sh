#!/usr/bin/env bash
# Outputs: whatever is at the path the user named, it gets what is written or stays as it was.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

arrays() { spec; npy write x.npy 1x3x8x8 1 2 3; npy write w.npy 4x3x3x3 1 0 -1; }
run_to() { convoke run spec.yaml --input x.npy --weights w.npy --output "$1"; }
compile_to() { convoke compile spec.yaml -o . "$@"; }
# The result, in a file of its own, to compare with.
expect() { arrays; run_to expected.npy; status 0; }
mode_is() { [[ $(stat -c %a "$1") == "$2" ]] || fail "$1 has the mode $(stat -c %a "$1"), not $2"; }
old() { [[ $(<"$1") == old ]] || fail "$1 is not what it was"; }
no_temporaries() { ! ls -A | grep -q tmp || fail "left behind: $(ls -A | grep tmp)"; }
# As somebody who is not root, if we are.
as_user() { if ((EUID == 0)); then chmod 755 "$scratch"; setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
run_as_user() {
    as_user "$command" run spec.yaml --input x.npy --weights w.npy --output "$1" >../out 2>../err </dev/null
    echo $? >../status
}

case_a_new_file_has_the_mode_of_new_files() {
    arrays; umask 027; run_to y.npy
    status 0; silent; mode_is y.npy 640; no_temporaries
}

case_a_file_that_is_replaced_keeps_its_mode() {
    local mode
    expect
    for mode in 600 644 755; do
        echo old >y.npy; chmod $mode y.npy; run_to y.npy
        status 0; same y.npy expected.npy; mode_is y.npy $mode
    done
    no_temporaries
}

case_a_file_that_root_replaces_keeps_its_owner() {
    ((EUID == 0)) || skip "not root"
    arrays; echo old >y.npy; chown 1234:2345 y.npy; run_to y.npy
    status 0; [[ $(stat -c %u:%g y.npy) == 1234:2345 ]] || fail "the owner is $(stat -c %u:%g y.npy)"
}

case_a_file_that_is_replaced_appears_whole() {
    expect; echo old >y.npy; exec 5<y.npy; run_to y.npy
    status 0; [[ $(cat <&5) == old ]] || fail "who had the old file open sees another"
}

case_a_symbolic_link_stays_and_its_target_is_written() {
    expect; mkdir far; echo old >far/y.npy; chmod 640 far/y.npy
    ln -s far/y.npy one; ln -s one two; run_to two
    status 0; [[ -L one && -L two && ! -L far/y.npy ]] || fail "a link is gone"
    same far/y.npy expected.npy; mode_is far/y.npy 640; files far y.npy; no_temporaries
}

case_a_link_that_leads_to_nothing_yet_makes_it() {
    expect; mkdir far; ln -s "$PWD/far/y.npy" y.npy; run_to y.npy
    status 0; [[ -L y.npy ]] || fail "the link is gone"
    same far/y.npy expected.npy
}

case_links_in_a_circle_are_an_error() {
    arrays; ln -s a b; ln -s b a; run_to a
    status 6; says "a: error[E0900]: cannot be written: Too many levels of symbolic links"; [[ -L a && -L b ]] || fail "a link is gone"
}

case_a_device_stays_a_device() {
    arrays; run_to /dev/null
    status 0; silent; [[ -c /dev/null ]] || fail "/dev/null is no device any more"
    mknod null c 1 3 2>/dev/null || { lacks "a device of our own: mknod is not permitted"; return; }
    ln -s null link
    run_to null; status 0; run_to link; status 0
    [[ -c null && -L link ]] || fail "the device was replaced"
    no_temporaries
}

case_a_full_device_is_an_error() {
    arrays; run_to /dev/full
    status 6; says "/dev/full: error[E0900]: cannot be written: No space left on device"; [[ -c /dev/full ]] || fail "/dev/full is no device any more"
}

case_a_pipe_is_written_through() {
    expect; mkfifo y.npy; cat y.npy >got.npy &
    run_to y.npy; wait
    status 0; silent; [[ -p y.npy ]] || fail "the pipe was replaced"
    same got.npy expected.npy; no_temporaries
}

case_a_pipe_without_a_reader_can_be_interrupted() {
    arrays; mkfifo y.npy
    timeout --foreground -s INT 1 "$command" run spec.yaml --input x.npy --weights w.npy --output y.npy
    [[ $? == 124 ]] || fail "it ended without a reader"
    [[ -p y.npy ]] || fail "the pipe was replaced"
    no_temporaries
}

case_standard_output_is_written_through() {
    expect
    "$command" run spec.yaml --input x.npy --weights w.npy --output /dev/stdout | cat >got.npy
    same got.npy expected.npy
    { echo old; "$command" run spec.yaml --input x.npy --weights w.npy --output /dev/stdout; echo new; } >got.npy
    { echo old; cat expected.npy; echo new; } >wanted.npy
    same got.npy wanted.npy
    "$command" run spec.yaml --input x.npy --weights w.npy --output >(cat >got.npy)
    wait $!; same got.npy expected.npy
    "$command" run spec.yaml --input x.npy --weights w.npy --output /dev/stdout >/dev/full 2>../err
    [[ $? == 6 ]] || fail "a full disk behind standard output is no error"
    says "/dev/stdout: error[E0900]: cannot be written: No space left on device"
}

case_a_socket_is_refused() {
    arrays; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("y.npy")'; run_to y.npy
    status 6; says "y.npy: error[E0900]: cannot be written: it is a socket"; [[ -S y.npy ]] || fail "the socket was replaced"
}

case_a_folder_is_refused() { arrays; mkdir y.npy; run_to y.npy; status 6; says "cannot be written: Is a directory"; files y.npy; no_temporaries; }

case_a_read_only_file_is_refused_even_as_root() {
    arrays; echo old >y.npy; chmod 444 y.npy; run_to y.npy
    status 6; says "y.npy: error[E0900]: cannot be written: it is read-only"; says "chmod u+w"
    old y.npy; mode_is y.npy 444; no_temporaries
    ln -s y.npy link; run_to link
    status 6; old y.npy
}

case_a_file_of_others_is_refused() {
    ((EUID == 0)) || skip "not root, so there is no file of others"
    arrays; echo old >y.npy; chmod 644 y.npy; chmod 777 .; run_as_user y.npy
    status 6; says "y.npy: error[E0900]: cannot be written: Permission denied"; old y.npy; no_temporaries
}

case_a_folder_of_others_is_refused() {
    ((EUID == 0)) || skip "not root, so there is no folder of others"
    arrays; mkdir far; echo old >far/old.npy; chmod 666 far/old.npy; chmod 755 . far
    run_as_user far/y.npy; status 6; says "no file can be made in far/: Permission denied"
    run_as_user far/old.npy; status 6; says "no file can be made in far/: Permission denied"; old far/old.npy
    files far old.npy
}

case_a_folder_that_is_not_there_is_an_error() { arrays; run_to far/y.npy; status 6; says "no file can be made in far/: No such file or directory"; }

case_a_full_disk_leaves_the_old_file() {
    spec; sed -i 's/8, 8/40, 40/' spec.yaml; npy write x.npy 1x3x40x40 1; npy write w.npy 4x3x3x3 1; echo old >y.npy
    (ulimit -f 4; exec "$command" run spec.yaml --input x.npy --weights w.npy --output y.npy) >../out 2>../err
    echo $? >../status
    status 6; says "y.npy: error[E0900]: cannot be written: File too large"; old y.npy; no_temporaries
}

case_the_longest_name_can_be_written() { arrays; run_to "$(printf 'y%.0s' {1..251}).npy"; status 0; silent; }

case_compile_writes_by_the_same_rule() {
    spec; compile_to -MD spec.d; status 0; mkdir far; mv spec.o far; cp far/spec.o expected.o; echo old >far/spec.o
    ln -s far/spec.o spec.o; chmod 600 spec.h; mkfifo deps; cat deps >got.d &
    compile_to -MD deps; wait
    status 0; silent; [[ -L spec.o && -p deps ]] || fail "what was there was replaced"
    same far/spec.o expected.o; mode_is spec.h 600; same got.d spec.d; no_temporaries
}

case_compile_writes_all_or_nothing() {
    spec; echo old >spec.o; echo old >spec.h; chmod 444 spec.h; compile_to
    status 6; says "./spec.h: error[E0900]: cannot be written: it is read-only"; old spec.o; old spec.h; no_temporaries
    chmod 644 spec.h; compile_to -MD /dev/full
    status 6; says "/dev/full: error[E0900]"; old spec.o; old spec.h; no_temporaries
}

case_two_outputs_are_not_one_file() {
    spec; compile_to -MD ./spec.h
    status 2; says "is written already"; files . "spec.yaml"
}

case_bench_writes_by_the_same_rule() {
    spec; echo old >rows.csv; chmod 600 rows.csv; echo old >figures.json; chmod 444 figures.json
    convoke bench spec.yaml --threads 1 --csv rows.csv --json figures.json
    status 6; says "figures.json: error[E0900]: cannot be written: it is read-only"; old figures.json; mode_is rows.csv 600
    grep -q GFLOP rows.csv || grep -q one rows.csv || fail "rows.csv has no rows"
    no_temporaries
}

run_cases
