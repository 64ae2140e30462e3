// The C++ binding: every class once, and what is thrown. Ends with 0 if all is as it should be.
#include <convoke.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

static void expect(bool sound, const char *what) {
    if (sound) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::exit(1);
}

template <class Call> static std::string thrown(cvk_status status, Call call) {
    try {
        call();
    } catch (const convoke::error &e) {
        expect(e.status() == status, e.what());
        return e.what();
    }
    expect(false, "an error is thrown");
    return "";
}

static const char YAML[] =
    "version: 1\nname: two\nlayers:\n"
    "- {name: twice, input: [1, 1, 5], out_channels: 1, kernel_size: 1}\n"
    "- {name: pair, input: [1, 1, 5], out_channels: 2, kernel_size: 1, bias: true, post_ops: [add, "
    "{scale: per_channel}]}\n";

static cvk_layer built() {
    cvk_layer layer{};
    layer.struct_size = sizeof layer;
    layer.name = "built";
    layer.spatial_rank = 1;
    layer.batch = layer.in_channels = layer.out_channels = 1;
    layer.input_size[0] = 5;
    layer.kernel_size[0] = 1;
    return layer;
}

static float first_output(const convoke::kernel &kernel) {
    const std::vector<float> x(kernel.input_elements(), 3), w(kernel.weights_elements(), 2);
    std::vector<float> y(kernel.output_elements());
    kernel.run({x, convoke::weights(kernel, w), y});
    return y[0];
}

static void check_networks() {
    const auto net = convoke::network::parse(YAML, "two.yaml");
    expect(net.name() == "two" && net.size() == 2 && net["pair"].name() == "pair", "layers by number and by name");
    const std::vector<convoke::kernel> kernels = convoke::compile(net);
    expect(kernels.size() == 2 && first_output(kernels[0]) == 6, "a whole network");
    const convoke::kernel &pair = kernels[1];
    const std::vector<float> x{1, 2, 3, 4, 5}, w{1, 10}, bias{1, 2}, scale{2, 3}, addend(10, 1);
    std::vector<float> y(10);
    const convoke::weights packed(pair, w);
    pair.run(convoke::arguments(x, packed, y).bias(bias).scale(scale).addend(addend));
    expect(y[0] == 6 && y[5] == 39, "bias, scale and addend");
}

static const char WHOLE[] = "version: 1\nname: whole\ninputs: {x: [any, 1, 5]}\noutputs: [both, y]\nlayers:\n"
                            "- {name: a, input: x, out_channels: 1, kernel_size: 1, bias: true}\n"
                            "- {name: both, kind: concat, input: [a, x]}\n"
                            "- {name: y, input: both, out_channels: 1, kernel_size: 1, post_ops: [{add: a}]}\n";

/* Two images, of which a gives 2 x + 1, and y 10 a + x + a. */
static void check_whole_networks() {
    const auto net = convoke::build(convoke::network::parse(WHOLE));
    expect(net.info().weights == 3 && net.weight_elements(2) == 2 && net.output_elements(1) == 5, "what is brought");
    const std::vector<float> x(10, 3), w{2}, b{1}, v{10, 1};
    std::vector<float> both(20), y(10);
    const convoke::network_weights packed(net, {w, b, v});
    net.run(convoke::network_arguments({x}, packed, {both, y}).batch(2));
    expect(both[0] == 7 && both[5] == 3 && y[0] == 80 && y[9] == 80, "all layers in one call");
    const cvk_parallel_for threads = {[](void *, std::size_t n, cvk_parallel_body *body, void *argument) {
                                          while (n > 0) body(argument, --n);
                                      },
                                      nullptr, 3};
    const convoke::buffer memory(net.workspace(&threads, 2));
    std::vector<float> again(10);
    net.run(convoke::network_arguments({x}, packed, {both, again}).batch(2).workspace(memory), &threads);
    expect(again == y, "threads, and memory of one's own");
}

static void check_refused_networks() {
    const auto net = convoke::build(convoke::network::parse(WHOLE));
    const std::vector<float> x(5), w{2}, b{1}, v{10, 1}, none;
    const std::vector<double> doubles(5);
    std::vector<float> both(10), y(5);
    const convoke::network_weights packed(net, {w, b, v});
    std::string words =
        thrown(CVK_ERROR_ARGUMENT, [&] { convoke::network_weights(net, std::vector<convoke::const_tensor>{w, b}); });
    expect(words == "whole takes 3 weights, not 2", "arrays are counted");
    words =
        thrown(CVK_ERROR_ARGUMENT, [&] { net.run(convoke::network_arguments({doubles}, packed, {both, y}).batch(1)); });
    expect(words == "whole takes x of float, not of double", "types are compared");
    words = thrown(CVK_ERROR_SIZE, [&] { net.run(convoke::network_arguments({x}, packed, {both, y}).batch(2)); });
    expect(words.find("x has 20 bytes") == 0, "what is too small is named");
    words = thrown(CVK_ERROR_NULL, [&] { convoke::network_weights(net, {w, none, v}); });
    expect(words.find("a.bias") == 0, "what is missing is named");
    thrown(CVK_ERROR_ARGUMENT, [] { convoke::build(convoke::network::parse(YAML)); });
}

static void check_lifetimes() {
    convoke::spec layer = convoke::network::parse(YAML)[0]; // the network is kept by its layer
    expect(layer.name() == "twice", "a layer outlives the network's handle");
    convoke::kernel kernel = convoke::compile(layer), copy = kernel;
    expect(&kernel.info() == &copy.info(), "copies share");
    const convoke::kernel moved = std::move(kernel);
    expect(first_output(moved) == 6 && first_output(copy) == 6, "moved and copied kernels run");
    expect(first_output(convoke::compile(convoke::spec(built()))) == 6, "a layer built in C++");
    convoke::options off;
    off.cache = CVK_CACHE_OFF;
    const convoke::job job(convoke::spec(built()), off);
    expect(first_output(job.wait()) == 6 && job.done(), "a job");
    {
        const convoke::job dropped{convoke::spec(built())};
    }
}

static void check_transposed() {
    const auto net = convoke::network::parse("version: 1\nlayers:\n- {name: up, input: [1, 1, 2], out_channels: 1, "
                                             "kernel_size: 2, stride: 3, transposed: true, output_padding: 1}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<float> x{1, 2}, w{3, 5}, expected{3, 5, 0, 6, 10, 0};
    std::vector<float> y(kernel.output_elements());
    kernel.run({x, convoke::weights(kernel, w), y});
    expect(kernel.info().operation == CVK_TRANSPOSED && y == expected, "a transposed layer spreads its input");
}

static void check_gradients() {
    const auto net = convoke::network::parse("version: 1\nlayers:\n- {name: g, input: [1, 1, 3], out_channels: 1, "
                                             "kernel_size: 2, bias: true, direction: backward_weights}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<float> x{1, 2, 3}, dy{10, 100}, expected{210, 320, 110};
    std::vector<float> y(kernel.output_elements());
    kernel.run(convoke::arguments::gradients(x, dy, y));
    expect(kernel.info().operation == CVK_WEIGHTS_GRADIENT && y == expected, "gradients of weights and bias");
}

static void check_pools() {
    const auto net = convoke::network::parse(
        "version: 1\nlayers:\n"
        "- {name: most, kind: max_pool, input: [1, 1, 5], kernel_size: 3, stride: 2, padding: 1, indices: true}\n"
        "- {name: mean, kind: average_pool, input: [1, 1, 4], kernel_size: global, dtype: f64}\n");
    const std::vector<float> x{3, 1, 4, 1, 5}, expected{3, 4, 5};
    const std::vector<std::int32_t> places{0, 2, 4};
    std::vector<float> y(3);
    std::vector<std::int32_t> found(3);
    const convoke::kernel most = convoke::compile(net["most"]), mean = convoke::compile(net["mean"]);
    most.run(convoke::arguments(x, y).indices(found));
    expect(most.info().operation == CVK_MAX_POOL && y == expected && found == places, "a maximum and its places");
    const std::vector<double> z{1, 2, 3, 6};
    std::vector<double> average(1);
    mean.run(convoke::arguments(z, average));
    expect(mean.info().operation == CVK_AVERAGE_POOL && average[0] == 3, "a mean of the whole input");
}

static void check_threads() {
    const auto net = convoke::network::parse("version: 1\nlayers:\n- {name: small_map, input: [1, 128, 28, 28], "
                                             "out_channels: 128, kernel_size: 3, padding: 1}\n");
    convoke::options one, many;
    one.run_threads = 1;
    many.run_threads = 64;
    const convoke::kernel first = convoke::compile(net[0], one), second = convoke::compile(net[0], many);
    expect(std::string(first.info().plan) != second.info().plan, "a plan for one thread and one for 64");
    many.run_threads = 1025;
    const std::string said = thrown(CVK_ERROR_ARGUMENT, [&] { convoke::compile(net[0], many); });
    expect(said.find("run_threads") != std::string::npos, said.c_str());
}

static void check_tuned() {
    const char *make_match = std::getenv("CVK_MAKE_MATCH");
    expect(make_match != nullptr, "CVK_MAKE_MATCH is set");
    char folder[] = "/tmp/convoke-tuned-XXXXXX";
    expect(mkdtemp(folder) != nullptr, "a folder");
    const std::string yaml =
        "version: 1\nlayers: [{name: a, input: [1, 16, 12, 12], out_channels: 32, kernel_size: 3}]\n";
    const std::string at = folder, spec = at + "/spec.yaml", plan = at + "/plan";
    std::ofstream(spec) << yaml;
    expect(std::system((std::string(make_match) + " " + spec + " " + at + " >" + plan).c_str()) == 0, "make_match");
    std::string known;
    std::ifstream file(plan);
    std::getline(file, known);
    convoke::options how;
    how.tuned = folder;
    const auto net = convoke::network::parse(yaml);
    expect(convoke::compile(net[0], how).info().plan == known, "the plan that the database knows");
    expect(convoke::compile(net[0]).info().plan != known, "which is not the model's");
    how.tuned = "relative";
    const std::string said = thrown(CVK_ERROR_ARGUMENT, [&] { convoke::compile(net[0], how); });
    expect(said.find("tuned is not an absolute path") != std::string::npos, said.c_str());
    expect(std::system(("rm -r " + at).c_str()) == 0, "rm");
}

static void check_errors() {
    const std::string said =
        thrown(CVK_ERROR_SPEC, [] { convoke::network::parse("version: 1\nlayers: [{nam: a}]\n", "bad.yaml"); });
    expect(said.find("bad.yaml:2:") == 0 && said.find("did you mean") != std::string::npos, said.c_str());
    const std::string unnamed =
        thrown(CVK_ERROR_SPEC, [] { convoke::network::parse("version: 1\nlayers: [{nam: a}]\n"); });
    expect(unnamed.find("<yaml>:2:") == 0, unnamed.c_str());
    thrown(CVK_ERROR_IO, [] { convoke::network::read("/no/such/file.yaml"); });
    thrown(CVK_ERROR_SPEC, [] {
        cvk_layer layer = built();
        layer.kernel_size[0] = 9;
        convoke::spec{layer};
    });
    convoke::options nowhere;
    nowhere.target = "z80";
    thrown(CVK_ERROR_UNSUPPORTED, [&] { convoke::compile(convoke::spec(built()), nowhere); });
    const convoke::kernel kernel = convoke::compile(convoke::spec(built()));
    const std::vector<float> x(5), w(1);
    std::vector<float> y(4);
    thrown(CVK_ERROR_NULL, [&] { convoke::weights(kernel, {}); });
    const std::string short_of = thrown(CVK_ERROR_SIZE, [&] { kernel.run({x, convoke::weights(kernel, w), y}); });
    expect(short_of == "output has 16 bytes, and the kernel needs 20", short_of.c_str());
    const convoke::kernel other = convoke::compile(convoke::network::parse(YAML)["twice"]);
    std::vector<float> whole(5);
    thrown(CVK_ERROR_WEIGHTS, [&] { kernel.run({x, convoke::weights(other, w), whole}); });
}

static void check_doubles() {
    const auto net = convoke::network::parse("version: 1\nlayers:\n- {name: third, input: [1, 1, 5], out_channels: 1, "
                                             "kernel_size: 1, bias: true, dtype: f64}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    expect(kernel.info().input_dtype == CVK_F64 && kernel.output_elements() == 5, "an element is a double");
    const std::vector<double> x(5, 1e300), w{1.0 / 3}, bias{-1e300};
    const std::vector<float> narrow(5), one(1);
    std::vector<double> y(5);
    const convoke::weights packed(kernel, w);
    kernel.run(convoke::arguments(x, packed, y).bias(bias));
    expect(std::fabs(y[0] / 1e300 + 2.0 / 3) < 1e-15, "doubles go in and come out");
    std::vector<float> narrow_y(10);
    const std::string said = thrown(CVK_ERROR_ARGUMENT, [&] { convoke::weights(kernel, one); });
    expect(said == "third takes weights of double, not of float", said.c_str());
    thrown(CVK_ERROR_ARGUMENT, [&] { kernel.run({narrow, packed, narrow_y}); });
    thrown(CVK_ERROR_ARGUMENT, [&] { kernel.run(convoke::arguments(x, packed, y).bias(one)); });
}

// Of all floats: those that a half has are one again, others go to the nearest, ties to even.
static void check_halves_alone() {
    for (std::uint32_t bits = 0; bits < 0x10000; bits++) {
        convoke::f16 half;
        convoke::bf16 brain;
        half.bits = brain.bits = static_cast<std::uint16_t>(bits);
        const bool same = convoke::f16(float(half)).bits == bits || std::isnan(float(half));
        expect(same, "f16 to float and back");
        expect(convoke::bf16(float(brain)).bits == bits || std::isnan(float(brain)), "bf16 to float and back");
    }
    expect(float(convoke::f16(1 + 0x1p-11f)) == 1 && float(convoke::f16(1 + 0x3p-11f)) == 1 + 0x1p-9f, "f16's ties");
    expect(float(convoke::f16(0x3p-25f)) == 0x1p-23f && float(convoke::f16(0x1p-25f)) == 0, "f16's denormals");
    expect(std::isinf(float(convoke::f16(65520.0f))) && float(convoke::f16(65519.0f)) == 65504, "f16's infinity");
    expect(float(convoke::bf16(1 + 0x1p-8f)) == 1 && float(convoke::bf16(1 + 0x3p-8f)) == 1 + 0x1p-6f, "bf16's ties");
    expect(std::isnan(float(convoke::f16(NAN))) && std::isnan(float(convoke::bf16(NAN))), "NaN stays NaN");
}

static void check_halves() {
    const auto net = convoke::network::parse(
        "version: 1\nlayers:\n- {name: mixed, input: [1, 1, 3], out_channels: 1, kernel_size: 1, bias: true, dtype: "
        "{input: bf16, weights: f16, output: f32}}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<convoke::bf16> x{convoke::bf16(1), convoke::bf16(-2), convoke::bf16(0x1p100f)};
    const std::vector<convoke::f16> w{convoke::f16(0.5f)};
    const std::vector<float> bias{0.25f};
    std::vector<float> y(kernel.output_elements());
    const convoke::weights packed(kernel, w);
    kernel.run(convoke::arguments(x, packed, y).bias(bias));
    expect(y[0] == 0.75f && y[1] == -0.75f && y[2] == 0x1p99f, "each tensor is of its own type");
    thrown(CVK_ERROR_ARGUMENT, [&] { kernel.run(convoke::arguments(y, packed, y).bias(bias)); });
}

static void check_integers() {
    const auto net = convoke::network::parse(
        "version: 1\nlayers:\n- {name: bytes, input: [1, 2, 2], out_channels: 1, kernel_size: 1, bias: true, dtype: "
        "{input: u8, weights: s8, output: s32}, quantization: {input_zero_point: 10}}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<std::uint8_t> x{0, 255, 10, 11};
    const std::vector<std::int8_t> w{-128, 127};
    const std::vector<std::int32_t> bias{1000000};
    std::vector<std::int32_t> y(kernel.output_elements());
    kernel.run(convoke::arguments(x, convoke::weights(kernel, w), y).bias(bias));
    expect(y[0] == 1000000 + 10 * 128 && y[1] == 1000000 - 245 * 128 + 127, "bytes are summed in 32 bits");
}

static void check_quantized() {
    const auto net = convoke::network::parse(
        "version: 1\nlayers:\n- {name: bytes, input: [1, 1, 3], out_channels: 1, kernel_size: 1, dtype: "
        "{input: u8, weights: s8, output: s8}, quantization: {output_zero_point: -1, rounding: half_up}}\n");
    const convoke::kernel kernel = convoke::compile(net[0]);
    const std::vector<std::uint8_t> x{1, 3, 255};
    const std::vector<std::int8_t> w{1};
    const std::vector<std::int32_t> scale{1 << 30}, shift{31};
    const std::vector<float> floats{0.5f};
    std::vector<std::int8_t> y(kernel.output_elements());
    const convoke::weights packed(kernel, w);
    kernel.run(convoke::arguments(x, packed, y).scale(scale).shift(shift));
    expect(y[0] == 0 && y[1] == 1 && y[2] == 127, "sums are scaled, rounded and saturated");
    thrown(CVK_ERROR_ARGUMENT, [&] { kernel.run(convoke::arguments(x, packed, y).scale(floats).shift(shift)); });
}

int main() {
    setenv("CONVOKE_CACHE", "off", 1);
    check_networks();
    check_whole_networks();
    check_refused_networks();
    check_lifetimes();
    check_transposed();
    check_gradients();
    check_pools();
    check_threads();
    check_tuned();
    check_errors();
    check_doubles();
    check_halves_alone();
    check_halves();
    check_integers();
    check_quantized();
    return 0;
}
