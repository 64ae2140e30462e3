#!/usr/bin/env bash
# Exit statuses, and what is said with them.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

case_no_verb() { convoke; status 2; says "--help"; }
case_an_unknown_verb() { convoke chekc; status 2; says "did you mean \`check\`?"; }
case_an_unknown_option() { spec; convoke check spec.yaml --tread 2; status 2; says "did you mean \`--threads\`?"; }
case_an_option_of_another_verb() { spec; convoke check spec.yaml --prefix p; status 2; says "--prefix"; }
case_a_missing_value() { spec; convoke check spec.yaml --seed; status 2; says "a value is missing after \`--seed\`"; }
case_a_value_for_a_flag() { spec; convoke check spec.yaml --all-plans=1; status 2; }
case_a_value_after_an_equals_sign() { spec; convoke check spec.yaml --seed=3; status 0; has "seed 3"; }
case_not_a_number() { spec; convoke check spec.yaml --seed 0x2; status 2; says "\`0x2\`"; }
case_an_operand_after_two_dashes() { spec; mv spec.yaml ./--all; convoke check -- --all; status 0; }
case_no_spec() { convoke check; status 2; says "SPEC"; }
case_an_unknown_target() { spec; convoke check spec.yaml --target x86-64-v9; status 2; says "did you mean"; }
case_an_unknown_format() { spec; convoke check spec.yaml --format xml; status 2; says "xml"; }
case_a_regular_expression_that_is_none() { spec; convoke check spec.yaml --layer '('; status 2; says "no regular expression"; }
case_no_layer_matches() { spec; convoke check spec.yaml --layer two; status 2; says "two"; }
case_an_unknown_peer() { spec; convoke bench spec.yaml --peer nobody; status 2; says "nobody"; }

case_a_result_that_proves_nothing_is_wrong() {
    spec "post_ops: [{clamp: [0, 0]}]"
    convoke check spec.yaml
    status 1; says "zeros, which proves nothing"; has "ZEROS"
}

case_a_bad_spec() { spec "strid: 2"; convoke check spec.yaml; status 3; says "spec.yaml:4:"; says "did you mean \`stride\`?"; }
case_an_unknown_algorithm() {
    spec "algorithm: winnograd"; convoke explain spec.yaml
    status 3; says "spec.yaml:4:82: error[E0404]: layers[0].algorithm: expected auto, direct"; says "did you mean \`winograd\`?"
}
case_a_target_that_does_not_run_here() {
    local other=aarch64-neon verb
    [[ $(uname -m) == x86_64 ]] || other=x86-64
    spec; npy write x.npy 1x3x8x8 1; npy write w.npy 4x3x3x3 1
    for verb in check bench "explain --measure" "run --input x.npy --weights w.npy --output y.npy"; do
        # shellcheck disable=SC2086
        convoke $verb spec.yaml --target $other
        status 4; says "this machine cannot run code for the target \`$other\`, which is of another architecture"
        says "hint: \`convoke compile --target $other\` makes code for it"
        [[ $(wc -l <../err) == 2 ]] || fail "more than that is said: $(<../err)"
    done
    convoke explain spec.yaml --target $other; status 0
}
case_all_bad_files_are_reported() {
    spec "strid: 2"; cp spec.yaml other.yaml
    convoke check spec.yaml other.yaml
    status 3; says "other.yaml:4:"
}
case_a_schedule_that_is_none() { spec "schedule: {algorithm: direct}"; convoke check spec.yaml; status 3; says "E0700"; }
case_valid_but_not_supported_yet() {
    spec "transposed: true, nan: ignore"; convoke check spec.yaml; status 4
}
case_over_a_limit() { spec "stride: 32769"; convoke check spec.yaml; [[ $(<../status) == [34] ]] || fail "status $(<../status)"; }
case_a_file_that_is_not_there() { convoke check nowhere.yaml; status 6; says "nowhere.yaml"; }

case_a_full_disk() { "$command" --help >/dev/full 2>../err; echo $? >../status; status 6; says "standard output"; }
case_a_closed_output() { spec; "$command" check spec.yaml >&- 2>../err; echo $? >../status; status 6; }
case_a_pipe_nobody_reads() {
    spec
    { "$command" check spec.yaml --format json 2>../err; echo $? >../status; } | true
    [[ $(<../status) == [06] ]] || fail "status $(<../status)"
}

run_cases
