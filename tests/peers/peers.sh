#!/usr/bin/env bash
# peers.sh CONVOKE ROOT STUB STALE LLVM PEERS: the command; peers of the version it takes and of another; the folder of
# libconvoke_llvm; and the way from the command's folder to its peers'.
source "$(dirname "${BASH_SOURCE[0]}")/../cli/harness.sh"
stub=$3 stale=$4 llvm=$5 way=$6
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
    is_json "d['rows'][0]['direct_us'] > 0 and d['rows'][0]['direct_by'] == 'stub of nothing'"
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

case_layers_not_padded_with_zeros_have_no_figures_of_a_peer() {
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
