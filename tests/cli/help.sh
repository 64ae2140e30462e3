#!/usr/bin/env bash
# Help: every verb and every option of the tables is explained.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
verbs=$(sed -n 's/^VERB(\([a-z]*\),.*/\1/p' "$root/src/cli/verbs.def")

case_the_command_lists_its_verbs() {
    convoke --help
    status 0; silent
    local verb
    for verb in $verbs; do has "  $verb  "; done
    has "EXIT STATUS"; has "6  a file cannot be read or written"
}

case_every_verb_has_a_page() {
    local verb
    for verb in $verbs; do
        convoke "$verb" --help
        status 0; silent
        has "convoke $verb - "; has "SYNOPSIS"; has "DESCRIPTION"; has "OPTIONS"; has "--help"; has "EXIT STATUS"; has "EXAMPLE"
    done
}

case_every_option_is_on_the_page_of_its_verbs() {
    local word verb seen=0
    while IFS=: read -r word verb; do
        convoke "$verb" --help
        has "  $word"
        seen=$((seen + 1))
    done < <(awk -F'"' '/^OPTION/ {
        word = $2
        while (match($0, /IN\([a-z]+\)/)) {
            print word ":" substr($0, RSTART + 3, RLENGTH - 4)
            $0 = substr($0, RSTART + RLENGTH)
        }
    }' "$root/src/cli/options.def")
    ((seen > 25)) || fail "only $seen options found in the table"
}

case_the_page_of_the_language_has_every_post_op_with_its_formula() {
    local word formula seen=0
    while IFS=$'\t' read -r word formula; do
        grep -qE "^\| \`(\{$word: .*\}|$word)\` \|" "$root/docs/language.md" || fail "no $word in docs/language.md"
        grep -E "^\| \`\{?$word\>" "$root/docs/language.md" | grep -qF "| $formula |" || fail "$word is not $formula"
        seen=$((seen + 1))
    done < <(sed -n 's/^POST_OP([A-Z0-9_]*, "\([a-z0-9_]*\)", [0-9], [A-Z_]*, "\(.*\)")$/\1\t\2/p' "$root/src/base/post_ops.def")
    ((seen > 10)) || fail "only $seen post-ops found in the table"
}

case_the_version_is_printed() {
    local word
    for word in --version -V; do convoke $word; status 0; silent; has "convoke 0."; done
}

case_help_is_found_where_one_looks_for_it() {
    local word verb
    convoke --help; cp ../out wanted
    for word in -h help; do convoke $word; status 0; silent; same ../out wanted; done
    for verb in $verbs; do
        convoke "$verb" --help; cp ../out wanted
        convoke "$verb" -h; status 0; silent; same ../out wanted
        convoke help "$verb"; status 0; silent; same ../out wanted
    done
    convoke help chekc; status 2; says 'did you mean `check`?'
    convoke help check run; status 2; says '`run` is one too many'
}

run_cases
