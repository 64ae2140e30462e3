#!/usr/bin/env bash
# debian.sh [CASES]: the packages of `./dev package`, made twice, looked at, and used in a Debian that has nothing else.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
maintainer="A Tester <tester@example.org>"
version=$(sed -n 's/^project(convoke VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
names=(convoke libconvoke-dev libconvoke-rt-dev libconvoke-rt0 libconvoke0 python3-convoke)

# A tree of sources as a tarball has it, and packages made of it, in FOLDER/out.
make_packages() { # FOLDER
    mkdir -p "$1"
    (cd "$root" && git ls-files -co --exclude-standard | tar -c --verbatim-files-from -T -) | tar -x -C "$1"
    echo "$version" >"$1/.version" && touch -d @1700000000 "$1/.version"
    (cd "$1" && ./dev package --maintainer "$maintainer") >"$1.log" 2>&1 || tail -n 15 "$1.log"
}
packages() { # made once for all cases
    needs git dpkg-buildpackage dh dh_python3 ninja llvm-config-19
    [[ -d $scratch/one/out ]] || make_packages "$scratch/one"
    made=$scratch/one/out
    [[ $(cd "$made" && ls ./*.deb | sed 's|^./||; s|_.*||' | tr '\n' ' ') == "${names[*]} " ]] || fail "made: $(ls "$made")"
}
field() { dpkg-deb -f "$made/$1"_*.deb "$2"; }

case_packages_are_the_same_bytes_from_any_folder_at_any_time() {
    packages
    (umask 077; export TZ=Asia/Tokyo LC_ALL=C.UTF-8; make_packages "$scratch/elsewhere/two")
    local deb
    for deb in "$made"/*.deb; do
        cmp "$deb" "$scratch/elsewhere/two/out/${deb##*/}" || fail "${deb##*/} differs"
    done
}

case_lintian_has_nothing_to_say() {
    packages; needs lintian
    local root_allowed=()
    ((EUID)) || root_allowed=(--allow-root)
    LC_ALL=C.UTF-8 must lintian "${root_allowed[@]}" --fail-on error,warning "$made"/*.changes
}

case_each_package_says_whose_it_is_and_goes_beside_other_architectures() {
    packages
    local name
    for name in "${names[@]}"; do [[ $(field "$name" Maintainer) == "$maintainer" ]] || fail "$name: $(field "$name" Maintainer)"; done
    for name in libconvoke-rt0 libconvoke-rt-dev libconvoke0 libconvoke-dev; do
        [[ $(field "$name" Multi-Arch) == same ]] || fail "$name is not multiarch"
        [[ -z $(dpkg-deb -c "$made/${name}"_*.deb | awk '$6 ~ /^.\/usr\/lib\/[^\/]*\.(so|a)/') ]] || fail "$name: libraries in /usr/lib"
    done
    prints libllvm19 field libconvoke0 Depends
    ! field libconvoke-rt0 Depends | grep -E 'llvm|yaml|jansson' || fail "the runtime asks for more than libc"
    prints "activate-noawait ldconfig" dpkg-deb -I "$made"/libconvoke-rt0_*.deb triggers
    prints "man1/convoke-compile.1.gz" dpkg-deb -c "$made"/convoke_*.deb
}

case_somebody_must_maintain_them() {
    needs git
    mustnt env HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 bash -c 'cd "$0" && ./dev package --maintainer nobody' "$root"
    grep -q "who maintains" ../log || fail "it says: $(<../log)"
}

case_a_tarball_of_sources_is_the_same_every_time_and_says_its_version() {
    needs git
    git clone -q "$root" clone 2>/dev/null || skip "the sources are not in git"
    cd clone || exit
    must ./dev dist && mv out first
    (umask 077; export TZ=Asia/Tokyo; must ./dev dist)
    local tarball=(out/*.tar.gz)
    cmp "$tarball" first/*.tar.gz || fail "two tarballs of one commit differ"
    [[ $tarball == out/convoke-*~2*.tar.gz ]] || fail "before a release it is called $tarball"
    tar xzf "$tarball" && cd convoke-*/ || exit
    [[ -e CMakeLists.txt && $(<.version) == "$version"~2* ]] || fail "in it: $(ls -A)"
    cd ..
    git tag -f "v$version" >/dev/null
    must ./dev dist
    [[ -e out/convoke-$version.tar.gz ]] || fail "a release is called $(ls out)"
}

# What the packages are for, done by the shell of a Debian that has them and a C compiler alone.
used='set -eu; cd /tmp
cc -Wall -Werror aot.c -c -I. 2>/dev/null && exit 1
convoke compile layers.yaml -o .
cc aot.c layers.o -I. $(pkg-config --cflags --libs convoke-rt) -o aot && ./aot
cc jit.c $(pkg-config --cflags --libs convoke) -o jit && ./jit layers.yaml
python3 blur.py
cmake -S consumer -B b -DEXAMPLES=/tmp >/dev/null && cmake --build b >/dev/null && b/aot
convoke bench layers.yaml --layer block >/dev/null'

case_they_are_used_in_a_bare_debian() {
    packages; needs mmdebstrap pkg-config
    [[ -e /etc/debian_version && -d /etc/apt ]] || skip "this is no Debian"
    local sources=() release
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    sources=(/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources)
    mkdir in && cp "$made"/*.deb "$root"/examples/{layers.yaml,aot.c,jit.c} "$root/bindings/python/examples/blur.py" in
    cp -r "$here/consumer" in
    echo "$used" >in/used.sh
    mmdebstrap --variant=minbase --aptopt='APT::Install-Recommends "false"' --include=gcc,libc6-dev,pkg-config,cmake,make \
        --customize-hook="copy-in in/. /tmp" --customize-hook='chroot "$1" sh -c "apt-get install -qy /tmp/*.deb"' \
        --customize-hook='chroot "$1" sh /tmp/used.sh' "$release" bare.tar $(ls "${sources[@]}" 2>/dev/null) >../log 2>&1 && made_it=1
    if [[ -z ${made_it-} ]]; then
        grep -qE 'failed to fetch|Temporary failure|unshare|cannot mount|not permitted|Permission denied' ../log &&
            skip "a bare Debian cannot be made here: $(grep -m1 -E '^E:|not permitted' ../log)"
        fail "used there: $(tail -n 20 ../log)"
    fi
    grep -qF "$edges" <(tr -d '\r' <../log) || prints "${edges%%$'\n'*}" cat ../log
    prints "first output" cat ../log
    prints "  1.0  1.0  4.0  7.0 10.0 10.0" cat ../log
}

run_cases "${1:-}"
