#!/usr/bin/env bash
# strict.sh CONVOKE ROOT COMPILER…: do the headers that C++ programs include, and one that the command writes, pass the
# warnings that strict projects turn on, in C++17 and C++20?
set -uo pipefail
command=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$command" compile "$root/examples/layers.yaml" -o "$scratch" --emit header || exit 1
cat >"$scratch/headers.cpp" <<'END'
#include <convoke.hpp>
#include <convoke/observe.h>
#include <convoke/pthreadpool.h>
#include <convoke/runtime.h>
#include <layers.h>
int main() {
    convoke::network net = convoke::network::parse("version: 1\nlayers: []\n", "name");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<convoke::kernel> all = convoke::compile(net, convoke::options());
    const convoke::kernel same = convoke::job(net["layer"]).wait();
    std::vector<float> x(kernel.input_elements()), y(kernel.output_elements());
    const convoke::weights weights(kernel, x);
    const convoke::buffer scratch(kernel.info().scratch);
    const cvk_parallel_for threads = cvk_pthreadpool(nullptr);
    kernel.run(convoke::arguments(x, weights, y).bias(x).scale(x).addend(x).scratch(scratch), &threads);
    const convoke::compiled_network whole = convoke::build(net);
    whole.run({{x}, convoke::network_weights(whole, {x, y}), {y}}, &threads);
    return example_edges.name == nullptr;
}
END
bad=0
for compiler in "${@:3}"; do
    for standard in c++17 c++20; do
        for source in "$scratch/headers.cpp" "$root/bindings/cpp/examples/blur.cpp"; do
            "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror \
                -I"$root/bindings/cpp" -I"$root/src/include" -I"$root/runtime/include" -I"$scratch" -fsyntax-only "$source" ||
                bad=1
        done
    done
done
exit $bad
