#!/usr/bin/env bash
# peers.sh CONVOKE ROOT STUB STALE LLVM PEERS WRONG: the command; peers of the version it takes and of another; the folder
# of libconvoke_llvm; the way from the command's folder to its peers'; and a peer that computes something else.
source "$(dirname "${BASH_SOURCE[0]}")/../cli/harness.sh"
stub=$3 stale=$4 llvm=$5 way=$6 wrong=$7
unset CONVOKE_PEERS

layer() {
    printf 'version: 1\nlayers: [{name: one, input: [1, 6, 8, 9], out_channels: 4, kernel_size: 3, groups: 2, %s}]\n' \
        "padding: [[0, 0], [0, 1]], post_ops: [{clamp: [-1, 2]}]${1:+, $1}" >spec.yaml
}
bench() { convoke bench spec.yaml --threads 1 --format json --peer "$@"; }
peer() { mkdir -p "$2" && cp "$1" "$2/$3.so"; } # file, folder, name

case_a_peer_is_opened_from_the_folder_that_the_environment_names() {
    layer; peer "$stub" peers mine
    CONVOKE_PEERS=peers bench mine
    status 0; silent
    is_json "d['rows'][0]['direct_us'] > 0 and d['rows'][0]['direct_by'] == 'Stub 1 of nothing' == d['rows'][0]['best_by']"
    is_json "d['conditions']['peers'] == ['Stub 1']"
    is_json "d['rows'][0]['winograd_us'] is None"
}

case_a_peer_is_opened_from_where_it_lies_from_the_command() {
    layer
    mkdir -p "a folder/bin" && cp "$command" "a folder/bin/convoke"
    peer "$stub" "a folder/bin/$way" mine
    ln -s "a folder/bin/convoke" link
    local command=$PWD/link
    LD_LIBRARY_PATH=$llvm bench mine
    status 0; is_json "d['rows'][0]['direct_us'] > 0"
}

case_a_peer_that_computes_something_else_has_no_figures() {
    layer; peer "$stub" peers mine; peer "$wrong" peers other
    CONVOKE_PEERS=peers bench other
    status 1; says "one: another result, and so no figures, of Stub 1 of nothing (off by "
    is_json "d['rows'][0]['us'] > 0 and d['rows'][0]['direct_us'] is None and d['rows'][0]['over_best'] is None"
    CONVOKE_PEERS=peers bench other --peer mine
    status 1; is_json "d['rows'][0]['direct_us'] > 0 and len(d['conditions']['peers']) == 2"
}

case_a_peer_named_twice_is_one() {
    layer; peer "$stub" peers mine
    CONVOKE_PEERS=peers bench mine --peer mine
    status 0; is_json "d['conditions']['peers'] == ['Stub 1']"
}

case_peers_that_are_there_are_listed_with_where_and_others_with_what_they_need() {
    mkdir -p alone/bin && cp "$command" alone/bin/convoke
    local command=$PWD/alone/bin/convoke
    peer "$stub" peers xnnpack; peer "$stale" peers opencv
    CONVOKE_PEERS=peers LD_LIBRARY_PATH=$llvm convoke print peers
    status 0; silent
    grep -qE '^xnnpack +Stub 1 +peers/xnnpack.so$' ../out || fail "$(<../out)"
    grep -qE '^onednn +- +needs libdnnl-dev$' ../out || fail "$(<../out)"
    grep -qE '^opencv +- +needs libopencv-imgproc-dev' ../out || fail "$(<../out)"
}

case_layers_not_padded_with_zeros_are_posed_as_they_are() {
    layer "padding_mode: replicate"; peer "$stub" peers mine
    CONVOKE_PEERS=peers bench mine
    status 0; is_json "d['rows'][0]['us'] > 0 and d['rows'][0]['direct_us'] is None"
}

case_a_peer_of_another_version_is_refused() {
    layer; peer "$stale" peers mine
    CONVOKE_PEERS=peers bench mine
    status 4; says "peers/mine.so is a peer of version 0"; says "takes version"
}

case_what_is_no_peer_is_refused() {
    layer
    mkdir peers && echo nothing >peers/mine.so
    CONVOKE_PEERS=peers bench mine
    status 4; says "the peer peers/mine.so cannot be loaded: "
    peer "$llvm/libconvoke_llvm.so.0" peers mine
    CONVOKE_PEERS=peers bench mine
    status 4; says "convoke_peer"
}

case_a_known_peer_that_is_not_there_says_what_to_install_and_where_it_was_looked_for() {
    layer
    mkdir -p alone/bin && cp "$command" alone/bin/convoke
    local command=$PWD/alone/bin/convoke
    CONVOKE_PEERS=nowhere bench onednn
    status 4; says "the peer \`onednn\` is not installed"; says "libdnnl-dev"
    says "nowhere/onednn.so"; says "$(realpath -m "alone/bin/$way")/onednn.so"
}

case_an_unknown_peer_is_a_usage_error_and_names_no_path_outside() {
    layer; peer "$stub" . mine
    CONVOKE_PEERS=peers bench ../mine
    status 2; says 'there is no peer `../mine`'
    bench nobody
    status 2; says 'there is no peer `nobody`'
}

run_cases
