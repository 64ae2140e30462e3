#!/usr/bin/env bash
# Print: each thing it names is printed, and what it does not know it says.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
verbs=$(sed -n 's/^VERB(\([a-z]*\),.*/\1/p' "$root/src/cli/verbs.def")

case_the_schema_is_json_that_knows_every_key() {
    convoke print schema
    status 0; silent; is_json "d['properties']['version'] == {'description': 'of the language', 'const': 1}"
    local key seen=0
    for key in $(sed -n 's/^FIELD(\([a-z_]*\),.*/\1/p' "$root/src/spec/fields.def"); do
        is_json "d['definitions']['$key']['description'] and '$key' in d['properties']['layers']['items']['properties']"
        seen=$((seen + 1))
    done
    ((seen > 15)) || fail "only $seen keys found in the table"
}

case_shells_complete_every_verb() {
    local shell verb
    for shell in bash zsh fish; do
        convoke print $shell
        status 0; silent
        for verb in $verbs; do has "$verb"; done
    done
}

# What each shell offers after the words given, the last of which is being typed; a line between blanks.
bash_offers() {
    "$command" print bash >convoke.bash
    # shellcheck disable=SC1091
    (compopt() { :; }; source ./convoke.bash; COMP_WORDS=(convoke "$@") COMP_CWORD=$#; _convoke; echo " ${COMPREPLY[*]} ")
}
fish_offers() {
    "$command" print fish >convoke.fish
    XDG_CONFIG_HOME=$PWD HOME=$PWD fish -N -c "source convoke.fish; complete -C 'convoke $*'" | cut -f 1 | tr '\n' ' ' | sed 's/^/ /'
}
# In a terminal of its own, where what is offered is typed or listed.
zsh_offers() {
    mkdir -p functions; "$command" print zsh >functions/_convoke
    HOME=$PWD timeout 60 zsh -f "$here/complete.zsh" "$PWD/functions" "convoke $*"
}
offers() {
    local shell=$1 wanted=$2 got
    command -v "$shell" >/dev/null || { lacks "there is no $shell"; return; }
    got=$("${shell}_offers" "${@:3}")
    [[ $got == *" $wanted "* ]] || fail "$shell offers \"$got\" after \"convoke ${*:3}\", not $wanted"
}

case_shells_complete_lists_after_commas() {
    local shell
    for shell in bash fish zsh; do
        offers $shell obj,header compile spec.yaml --emit obj,h
        offers $shell x86-64-v4,x86-64-v3 compile spec.yaml --target x86-64-v4,x86-64-v3
        offers $shell obj,asm,llvm compile spec.yaml --emit obj,asm,l
        offers $shell llvm compile spec.yaml --emit l
    done
    offers bash obj,explain compile --emit obj,
    offers bash host,generic compile --target host,
    offers bash obj,header compile --emit = obj,h
    offers bash json bench --format = js
    offers fish obj,explain compile --emit obj,
    offers fish --emit=obj,header compile --emit=obj,h
}

case_shells_complete_help() {
    offers bash help hel
    offers bash check help ch
    offers fish check help ch
    offers zsh check help ch
}

case_there_is_a_manual_page_for_the_command_and_each_verb() {
    local verb
    convoke print man
    status 0; silent; has ".TH CONVOKE 1"
    for verb in $verbs; do
        convoke print man "$verb"
        status 0; silent; has ".TH CONVOKE-${verb^^} 1"; has ".SH OPTIONS"
    done
}

case_every_target_is_listed() {
    local name
    convoke print targets
    status 0; silent
    for name in $(sed -n 's/^TARGET("\([^"]*\)",.*/\1/p' "$root/src/target/targets.def"); do
        grep -Eq "^$name +[a-z0-9_-]+ +[0-9]+ +[0-9]+ +[0-9]+ +[a-z0-9-]" ../out || fail "no row for $name"
    done
    grep -Eq '^x86-64-v3 +x86_64-unknown-linux-gnu +256 +8 +16 +sse2 .*avx2 fma' ../out || fail "$(<../out)"
    grep -Eq '^# host, native: [a-z0-9-]+$' ../out || fail "no host"
}

case_what_the_host_does_in_a_cycle_is_shown_and_where_that_is_from() {
    local field
    convoke print targets
    has "# its core, by its row, for there is no directory to keep them in:"
    CONVOKE_CACHE=$PWD/cache convoke print targets
    status 0; silent; has "# its core, as measured, in $PWD/cache/"
    for field in $(sed -n 's/^FIGURE(\([a-z0-9_]*\), MEASURED,.*/\1/p' "$root/src/target/figure_fields.def"); do has "#   $field "; done
    sed -i 's/^l2_bytes_a_cycle .*/l2_bytes_a_cycle 12.5/' cache/*.figures
    CONVOKE_CACHE=$PWD/cache convoke print targets
    grep -q '^#   l2_bytes_a_cycle  *12.5 ' ../out || fail "$(tail ../out)"
    CONVOKE_CACHE=here convoke print targets
    status 0; has "CONVOKE_CACHE is not an absolute path"
}

case_every_cpu_is_listed() {
    convoke print cpus
    status 0; silent
    [[ $(sed 1d ../out | awk '{print "CPU(\"" $1 "\", \"" $2 "\")"}') == "$(grep '^CPU(' "$root/src/target/cpus.def")" ]] || fail "other rows than cpus.def"
}

case_shells_complete_targets() {
    local shell
    for shell in bash zsh fish; do
        convoke print $shell
        has "host native x86-64-v4"; has "schema targets cpus"
    done
}

case_what_it_does_not_know_it_says() {
    convoke print
    status 2; says 'missing is `WHAT`'
    convoke print shema
    status 2; says 'did you mean `schema`?'
    convoke print man chekc
    status 2; says 'did you mean `check`?'
    convoke print bash check
    status 2; says '`check` is one too many'
}

run_cases
