// convoke.hpp: convoke for C++17. A thin layer over convoke/convoke.h: what C frees by hand is freed by a destructor,
// and what C returns as a status is thrown as convoke::error, with the text of all diagnostics.
//
//     convoke::kernel kernel = convoke::compile(convoke::network::read("net.yaml")[0]);
//     convoke::weights packed(kernel, dense);                  // once
//     std::vector<float> y(kernel.output_elements());
//     kernel.run(convoke::arguments{x, packed, y}.bias(b));    // as often as one likes, on any thread
//
// Layers that feed one another, in one call:
//
//     convoke::compiled_network net = convoke::build(convoke::network::read("net.yaml"));
//     convoke::network_weights packed(net, {w1, b1, w2, b2});  // as net.info().weight lists them
//     net.run({{x}, packed, {y}});
//
// Tensors are contiguous float, double, convoke::f16, convoke::bf16 or integers, as the layer has them, in the layout it names;
// anything with data() and size() converts. Bias and scales are float, double where the layer is f64; of integers the bias is int32_t, and scales are where they have shifts. Values of these classes may be moved; kernels may be copied,
// which shares them.
#ifndef CONVOKE_CONVOKE_HPP
#define CONVOKE_CONVOKE_HPP

#include <convoke/convoke.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace convoke {

// A status other than CVK_OK. what() is the diagnostics, a line each, or the status as a sentence.
class error : public std::runtime_error {
  public:
    error(cvk_status status, const std::string &what) : std::runtime_error(what), status_(status) {}
    cvk_status status() const noexcept { return status_; }

  private:
    cvk_status status_;
};

namespace detail {

inline std::uint32_t bits_of(float value) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float float_of(std::uint32_t bits) noexcept {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
// The nearest, ties to even, of a number without its last `dropped` bits.
inline std::uint32_t rounded(std::uint32_t bits, unsigned dropped) noexcept {
    return (bits + (1u << (dropped - 1)) - 1 + (bits >> dropped & 1)) >> dropped;
}

} // namespace detail

// IEEE's half precision: made of the nearest float, ties to even; a float again without loss.
struct f16 {
    std::uint16_t bits = 0;
    f16() = default;
    explicit f16(float value) noexcept {
        const std::uint32_t all = detail::bits_of(value), size = all & 0x7fffffffu, sign = all >> 16 & 0x8000u;
        std::uint32_t half = size > 0x7f800000u ? 0x7e00u : 0x7c00u;                         // NaN; infinity
        if (size < 0x38800000u)                                                              // 2^-14
            half = detail::bits_of(detail::float_of(size) + 0.5f) - detail::bits_of(0.5f);   // in units of 2^-24
        else if (size < 0x47800000u)                                                         // 2^16
            half = detail::rounded(size - 0x38000000u, 13);
        bits = static_cast<std::uint16_t>(half | sign);
    }
    explicit operator float() const noexcept {
        const std::uint32_t size = (bits & 0x7fffu) << 13, sign = (bits & 0x8000u) << 16;
        const bool finite = size < 0x0f800000u;
        return detail::float_of(detail::bits_of(detail::float_of(size) * 0x1p112f) | (finite ? 0u : 0x7f800000u) | sign);
    }
};

// The upper half of a float, rounded likewise.
struct bf16 {
    std::uint16_t bits = 0;
    bf16() = default;
    explicit bf16(float value) noexcept {
        const std::uint32_t all = detail::bits_of(value);
        const bool nan = (all & 0x7fffffffu) > 0x7f800000u;
        bits = static_cast<std::uint16_t>(nan ? all >> 16 | 0x40u : detail::rounded(all, 16));
    }
    explicit operator float() const noexcept { return detail::float_of(std::uint32_t(bits) << 16); }
};

namespace detail {

template <class T> struct dtype_of;
template <> struct dtype_of<float> : std::integral_constant<cvk_dtype, CVK_F32> {};
template <> struct dtype_of<double> : std::integral_constant<cvk_dtype, CVK_F64> {};
template <> struct dtype_of<f16> : std::integral_constant<cvk_dtype, CVK_F16> {};
template <> struct dtype_of<bf16> : std::integral_constant<cvk_dtype, CVK_BF16> {};
template <> struct dtype_of<std::int8_t> : std::integral_constant<cvk_dtype, CVK_S8> {};
template <> struct dtype_of<std::uint8_t> : std::integral_constant<cvk_dtype, CVK_U8> {};
template <> struct dtype_of<std::int32_t> : std::integral_constant<cvk_dtype, CVK_S32> {};

inline const char *type_name(cvk_dtype type) noexcept {
    static const char *const names[] = {"float", "double", "f16", "bf16", "int8_t", "uint8_t", "int32_t"};
    return names[type];
}
inline std::size_t type_size(cvk_dtype type) noexcept {
    static const std::size_t sizes[] = {sizeof(float), sizeof(double), sizeof(f16), sizeof(bf16), 1, 1, 4};
    return sizes[type];
}

// `taker` is a kernel or a network.
template <class Info> void check_type(const char *tensor, cvk_dtype given, cvk_dtype taken, const Info &taker) {
    if (given == taken) return;
    throw error(CVK_ERROR_ARGUMENT, std::string(taker.name) + " takes " + tensor + " of " + type_name(taken) +
                                        ", not of " + type_name(given));
}

struct free_diagnostics {
    void operator()(cvk_diagnostics *d) const noexcept { cvk_diagnostics_free(d); }
};

inline std::string format(const cvk_diagnostic *message) {
    std::string line(cvk_diagnostic_format(message, nullptr, 0), '\0');
    cvk_diagnostic_format(message, line.data(), line.size() + 1);
    return line;
}

// Collects what a call has to say, and throws it if the call fails.
class judge {
  public:
    judge() : diagnostics_(cvk_diagnostics_new()) {}
    cvk_diagnostics *get() const noexcept { return diagnostics_.get(); }
    void operator()(cvk_status status) const {
        if (status == CVK_OK) return;
        std::string text;
        for (std::size_t i = 0; i < cvk_diagnostics_count(get()); i++)
            text += (i ? "\n" : "") + format(cvk_diagnostics_get(get(), i));
        throw error(status, text.empty() ? cvk_status_text(status) : text);
    }

  private:
    std::unique_ptr<cvk_diagnostics, free_diagnostics> diagnostics_;
};

inline std::string format(const cvk_refusal &why) {
    std::string line(cvk_refusal_text(&why, nullptr, 0), '\0');
    cvk_refusal_text(&why, line.data(), line.size() + 1);
    return line;
}

inline void check(cvk_status status) {
    if (status != CVK_OK) throw error(status, cvk_status_text(status));
}

struct free_aligned {
    std::align_val_t alignment{1};
    void operator()(void *memory) const noexcept { ::operator delete(memory, alignment); }
};

} // namespace detail

// A run of elements that belong to somebody else.
template <class T> class span {
  public:
    span() = default;
    span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class C, class = std::enable_if_t<std::is_convertible_v<decltype(std::declval<C &>().data()), T *>>>
    span(C &&container) noexcept : data_(container.data()), size_(container.size()) {}
    T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t bytes() const noexcept { return size_ * sizeof(T); }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

// The elements of a tensor, of whatever type, that belong to somebody else.
template <class Void> class any_span {
  public:
    any_span() = default;
    template <class C, class T = std::remove_pointer_t<decltype(std::declval<C &>().data())>,
              cvk_dtype Type = detail::dtype_of<std::remove_cv_t<T>>::value,
              class = std::enable_if_t<std::is_convertible_v<T *, Void *>>>
    any_span(C &&container) noexcept : data_(container.data()), bytes_(container.size() * sizeof(T)), type_(Type) {}
    Void *data() const noexcept { return data_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    cvk_dtype type() const noexcept { return type_; }

  private:
    Void *data_ = nullptr;
    std::uint64_t bytes_ = 0;
    cvk_dtype type_ = CVK_F32;
};
using const_tensor = any_span<const void>;
using tensor = any_span<void>;

// Memory aligned as a kernel asks.
class buffer {
  public:
    buffer() = default;
    explicit buffer(const cvk_buffer_info &info) : buffer(info.bytes, info.alignment) {}
    buffer(std::uint64_t bytes, std::uint32_t alignment) : bytes_(bytes) {
        const std::align_val_t aligned{alignment ? alignment : 1u};
        if (bytes) memory_ = {::operator new(static_cast<std::size_t>(bytes), aligned), detail::free_aligned{aligned}};
    }
    void *data() const noexcept { return memory_.get(); }
    std::uint64_t bytes() const noexcept { return bytes_; }

  private:
    std::unique_ptr<void, detail::free_aligned> memory_;
    std::uint64_t bytes_ = 0;
};

// A layer to be compiled. Layers of a network live as long as that; those built from a cvk_layer own themselves.
class spec {
  public:
    explicit spec(const cvk_spec *borrowed) noexcept : handle_(borrowed, [](const cvk_spec *) {}) {}
    explicit spec(const cvk_layer &layer) {
        cvk_spec *made = nullptr;
        detail::judge judge;
        judge(cvk_spec_create(&layer, judge.get(), &made));
        handle_.reset(made, cvk_spec_free);
    }
    const cvk_spec *get() const noexcept { return handle_.get(); }
    std::string name() const { return cvk_spec_name(get()); }

  private:
    friend class network;
    explicit spec(std::shared_ptr<const cvk_spec> handle) noexcept : handle_(std::move(handle)) {}
    std::shared_ptr<const cvk_spec> handle_;
};

// A spec file. Its layers keep it alive.
class network {
  public:
    // `name` is what messages call the text, as in "<yaml>:2:10: error…".
    static network parse(const std::string &yaml, const std::string &name = "<yaml>") {
        cvk_network *made = nullptr;
        detail::judge judge;
        judge(cvk_network_parse(yaml.data(), yaml.size(), name.c_str(), judge.get(), &made));
        return network(made);
    }
    static network read(const std::string &path) {
        cvk_network *made = nullptr;
        detail::judge judge;
        judge(cvk_network_read(path.c_str(), judge.get(), &made));
        return network(made);
    }
    const cvk_network *get() const noexcept { return handle_.get(); }
    std::string name() const { return cvk_network_name(get()); }
    std::size_t size() const noexcept { return cvk_network_count(get()); }
    spec operator[](std::size_t index) const {
        const cvk_spec *layer = cvk_network_layer(get(), index);
        if (!layer) throw std::out_of_range("convoke::network: no such layer");
        return spec(std::shared_ptr<const cvk_spec>(handle_, layer));
    }
    // By its name.
    spec operator[](const std::string &layer) const {
        for (std::size_t i = 0; i < size(); i++)
            if (layer == cvk_spec_name(cvk_network_layer(get(), i))) return (*this)[i];
        throw std::out_of_range("convoke::network: no layer is named " + layer);
    }

  private:
    explicit network(cvk_network *made) : handle_(made, cvk_network_free) {}
    std::shared_ptr<cvk_network> handle_;
};

// Zero everywhere is the default; the fields are those of cvk_options.
struct options : cvk_options {
    options() : cvk_options{} { struct_size = sizeof(cvk_options); }
};

class weights;
class arguments;

// A compiled layer, shared by its copies.
class kernel {
  public:
    explicit kernel(cvk_kernel *reference) noexcept : handle_(reference, cvk_kernel_free) {} // takes the reference over
    const cvk_kernel *get() const noexcept { return handle_.get(); }
    const cvk_kernel_info &info() const noexcept { return *cvk_kernel_get_info(get()); }
    // Of a layer for any batch, those of one image.
    std::size_t input_elements() const noexcept { return elements(info().input, info().input_dtype); }
    std::size_t weights_elements() const noexcept { return elements(info().weights, info().weights_dtype); }
    std::size_t output_elements() const noexcept { return elements(info().output, info().output_dtype); }
    // What a run asks of one buffer; of so many images, where the layer's batch is any.
    cvk_buffer_info needs(cvk_role role, const cvk_parallel_for *threads = nullptr,
                          std::uint64_t batch = 0) const noexcept {
        return cvk_buffer_needs(&info(), role, batch, threads ? threads->workers : 1);
    }
    // On the calling thread, or on those of `threads`.
    inline void run(const arguments &arguments, const cvk_parallel_for *threads = nullptr) const;

  private:
    static std::size_t elements(const cvk_buffer_info &b, cvk_dtype type) noexcept {
        return static_cast<std::size_t>(b.bytes / detail::type_size(type));
    }
    std::shared_ptr<cvk_kernel> handle_;
};

// Weights in the order a kernel reads them, made of dense ones: out_channels, in_channels / groups, kernel…; of a
// transposed layer in_channels, out_channels / groups, kernel….
class weights {
  public:
    weights(const kernel &kernel, const_tensor dense) : packed_(kernel.info().packed_weights) {
        detail::check_type("weights", dense.type(), kernel.info().weights_dtype, kernel.info());
        const cvk_const_buffer from{dense.data(), dense.bytes()};
        const cvk_buffer to{packed_.data(), packed_.bytes()};
        const cvk_status status = cvk_pack_weights(&kernel.info(), from, to);
        if (status == CVK_OK) return;
        cvk_refusal why{};
        cvk_check_pack(&kernel.info(), from, to, &why);
        throw error(status, detail::format(why));
    }
    cvk_const_buffer get() const noexcept { return {packed_.data(), packed_.bytes()}; }

  private:
    buffer packed_;
};

// The tensors of one run.
class arguments {
  public:
    arguments(const_tensor input, const weights &packed, tensor output) noexcept : arguments(input, output) {
        buffers_.weights = packed.get();
    }
    // Of a pool, which has no weights.
    arguments(const_tensor input, tensor output) noexcept : input_(input), output_(output) {
        buffers_.struct_size = sizeof buffers_;
        buffers_.input = {input.data(), input.bytes()};
        buffers_.output = {output.data(), output.bytes()};
    }
    // Of a layer of gradients of weights: input, gradients of the output; what comes out, with the bias' behind it.
    static arguments gradients(const_tensor input, const_tensor gradient, tensor output) noexcept {
        arguments made(input, output);
        return made.set(made.gradient_, &cvk_buffers::gradient, gradient);
    }
    arguments &bias(const_tensor values) noexcept { return set(bias_, &cvk_buffers::bias, values); }
    arguments &scale(const_tensor values) noexcept { return set(scale_, &cvk_buffers::scale, values); }
    // Beside multipliers that are integers, which are in scale.
    arguments &shift(const_tensor values) noexcept { return set(shift_, &cvk_buffers::shift, values); }
    arguments &addend(const_tensor values) noexcept { return set(addend_, &cvk_buffers::addend, values); }
    // Of post-ops that are gates: one number for each channel of an image.
    arguments &gate(const_tensor values) noexcept { return set(gate_, &cvk_buffers::gate, values); }
    // Of a maximum that puts them out: where each stands in its channel, laid out as the output.
    arguments &indices(span<std::int32_t> places) noexcept {
        buffers_.indices = {places.data(), places.bytes()};
        return *this;
    }
    // Memory for the kernel to work in, which a run otherwise allocates: what kernel::needs says of the two roles.
    arguments &scratch(const buffer &memory) noexcept { return set(buffers_.scratch, memory); }
    // Images of this run, where the layer's batch is any.
    arguments &batch(std::uint64_t images) noexcept {
        buffers_.batch = images;
        return *this;
    }
    arguments &workspace(const buffer &memory) noexcept { return set(buffers_.workspace, memory); }
    const cvk_buffers &get() const noexcept { return buffers_; }
    // Throws where a tensor is of another type than the kernel's.
    void check_types(const cvk_kernel_info &info) const {
        const bool bytes = info.input_dtype == CVK_U8 || info.input_dtype == CVK_S8;
        const cvk_dtype sum = info.input_dtype == CVK_F64 ? CVK_F64 : bytes ? CVK_S32 : CVK_F32;
        const cvk_dtype scale = info.shift.bytes ? CVK_S32 : sum == CVK_F64 ? CVK_F64 : CVK_F32;
        detail::check_type("input", input_.type(), info.input_dtype, info);
        detail::check_type("output", output_.type(), info.output_dtype, info);
        if (gradient_.data()) detail::check_type("gradient", gradient_.type(), info.weights_dtype, info);
        if (bias_.data()) detail::check_type("bias", bias_.type(), sum, info);
        if (scale_.data()) detail::check_type("scale", scale_.type(), scale, info);
        if (shift_.data()) detail::check_type("shift", shift_.type(), CVK_S32, info);
        if (addend_.data()) detail::check_type("addend", addend_.type(), info.output_dtype, info);
        if (gate_.data()) detail::check_type("gate", gate_.type(), info.output_dtype, info);
    }

  private:
    arguments &set(const_tensor &kept, cvk_const_buffer cvk_buffers::*buffer, const_tensor values) noexcept {
        kept = values;
        buffers_.*buffer = {values.data(), values.bytes()};
        return *this;
    }
    arguments &set(cvk_buffer &b, const buffer &memory) noexcept {
        b = {memory.data(), memory.bytes()};
        return *this;
    }
    const_tensor input_, gradient_, bias_, scale_, shift_, addend_, gate_;
    tensor output_;
    cvk_buffers buffers_{};
};

inline void kernel::run(const arguments &arguments, const cvk_parallel_for *threads) const {
    arguments.check_types(info());
    cvk_buffers buffers = arguments.get();
    buffer scratch, workspace;
    if (!buffers.scratch.data) {
        scratch = buffer(needs(CVK_ROLE_SCRATCH, threads));
        buffers.scratch = {scratch.data(), scratch.bytes()};
    }
    if (!buffers.workspace.data) {
        workspace = buffer(needs(CVK_ROLE_WORKSPACE, threads, buffers.batch));
        buffers.workspace = {workspace.data(), workspace.bytes()};
    }
    const cvk_status status = cvk_run(&info(), &buffers, threads);
    if (status == CVK_OK) return;
    cvk_refusal why{};
    cvk_check_run(&info(), &buffers, threads, &why);
    throw error(status, detail::format(why));
}

inline kernel compile(const spec &layer, const options &how = {}) {
    cvk_kernel *made = nullptr;
    detail::judge judge;
    judge(cvk_compile(layer.get(), &how, judge.get(), &made));
    return kernel(made);
}

// All layers, on several threads, in their order.
inline std::vector<kernel> compile(const network &layers, const options &how = {}) {
    std::vector<cvk_kernel *> made(layers.size());
    std::vector<kernel> kernels;
    kernels.reserve(made.size());
    detail::judge judge;
    judge(cvk_network_compile(layers.get(), &how, judge.get(), made.data()));
    for (cvk_kernel *k : made) kernels.emplace_back(k);
    return kernels;
}

// Layers that feed one another, compiled: one call runs them all. Shared by its copies. info() lists inputs, outputs and
// arrays of weights, with names, shapes, layouts and types; what is brought of each comes in their order.
class compiled_network {
  public:
    explicit compiled_network(cvk_compiled_network *made) noexcept : handle_(made, cvk_compiled_network_free) {} // takes it over
    const cvk_compiled_network *get() const noexcept { return handle_.get(); }
    const cvk_network_info &info() const noexcept { return *cvk_compiled_network_get_info(get()); }
    // Of a network for any batch, those of one image.
    std::size_t input_elements(std::size_t index = 0) const noexcept { return elements(info().input[index]); }
    std::size_t output_elements(std::size_t index = 0) const noexcept { return elements(info().output[index]); }
    std::size_t weight_elements(std::size_t index) const noexcept { return elements(info().weight[index]); }
    // The memory that a run works in; of so many images, where the network is for any batch.
    cvk_buffer_info workspace(const cvk_parallel_for *threads = nullptr, std::uint64_t batch = 0) const noexcept {
        return cvk_network_workspace(&info(), batch, threads ? threads->workers : 1);
    }
    // On the calling thread, or on those of `threads`.
    inline void run(const class network_arguments &arguments, const cvk_parallel_for *threads = nullptr) const;

  private:
    template <class Info> static std::size_t elements(const Info &array) noexcept {
        return static_cast<std::size_t>(array.bytes / detail::type_size(array.dtype));
    }
    std::shared_ptr<cvk_compiled_network> handle_;
};

// All layers of a file that has `inputs` and `outputs`; it is needed no more afterwards.
inline compiled_network build(const network &file, const options &how = {}) {
    cvk_compiled_network *made = nullptr;
    detail::judge judge;
    judge(cvk_network_build(file.get(), &how, judge.get(), &made));
    return compiled_network(made);
}

namespace detail {

inline void check_count(const char *what, std::size_t given, std::size_t taken, const cvk_network_info &net) {
    if (given == taken) return;
    throw error(CVK_ERROR_ARGUMENT, std::string(net.name) + " takes " + std::to_string(taken) + " " + what + ", not " +
                                        std::to_string(given));
}

// Each of the type that `infos` says, as C takes them.
template <class Buffer, class Tensor, class Info>
std::vector<Buffer> buffers_of(const char *what, const std::vector<Tensor> &given, const Info *infos, std::size_t count,
                               const cvk_network_info &net) {
    std::vector<Buffer> made;
    check_count(what, given.size(), count, net);
    made.reserve(count);
    for (std::size_t i = 0; i < count; i++) {
        check_type(infos[i].name, given[i].type(), infos[i].dtype, net);
        made.push_back({given[i].data(), given[i].bytes()});
    }
    return made;
}

} // namespace detail

// The weights of a network in the order its kernels read them, made of dense arrays: those of info().weight.
class network_weights {
  public:
    network_weights(const compiled_network &net, const std::vector<const_tensor> &dense)
        : packed_(net.info().packed_weights) {
        const cvk_network_info &info = net.info();
        const auto from = detail::buffers_of<cvk_const_buffer>("weights", dense, info.weight, info.weights, info);
        const cvk_buffer to{packed_.data(), packed_.bytes()};
        const cvk_status status = cvk_network_pack(&info, from.data(), to);
        if (status == CVK_OK) return;
        cvk_refusal why{};
        cvk_network_check_pack(&info, from.data(), to, &why);
        throw error(status, detail::format(why));
    }
    cvk_const_buffer get() const noexcept { return {packed_.data(), packed_.bytes()}; }

  private:
    buffer packed_;
};

// What one run of a network reads and writes. The weights and all arrays stay the caller's.
class network_arguments {
  public:
    network_arguments(std::vector<const_tensor> inputs, const network_weights &packed, std::vector<tensor> outputs)
        : inputs_(std::move(inputs)), outputs_(std::move(outputs)), weights_(packed.get()) {}
    // Images of this run, where the network is for any batch.
    network_arguments &batch(std::uint64_t images) noexcept {
        batch_ = images;
        return *this;
    }
    // Memory to work in, which a run otherwise allocates: what compiled_network::workspace says.
    network_arguments &workspace(const buffer &memory) noexcept {
        workspace_ = {memory.data(), memory.bytes()};
        return *this;
    }

  private:
    friend class compiled_network;
    std::vector<const_tensor> inputs_;
    std::vector<tensor> outputs_;
    cvk_const_buffer weights_;
    cvk_buffer workspace_{};
    std::uint64_t batch_ = 0;
};

inline void compiled_network::run(const network_arguments &arguments, const cvk_parallel_for *threads) const {
    const cvk_network_info &net = info();
    const auto inputs =
        detail::buffers_of<cvk_const_buffer>("inputs", arguments.inputs_, net.input, net.inputs, net);
    const auto outputs = detail::buffers_of<cvk_buffer>("outputs", arguments.outputs_, net.output, net.outputs, net);
    cvk_network_buffers buffers{};
    buffers.struct_size = sizeof buffers;
    buffers.batch = arguments.batch_;
    buffers.inputs = inputs.data();
    buffers.outputs = outputs.data();
    buffers.weights = arguments.weights_;
    buffers.workspace = arguments.workspace_;
    buffer own;
    if (!buffers.workspace.data) {
        own = buffer(workspace(threads, buffers.batch));
        buffers.workspace = {own.data(), own.bytes()};
    }
    const cvk_status status = cvk_network_run(&net, &buffers, threads);
    if (status == CVK_OK) return;
    cvk_refusal why{};
    cvk_network_check_run(&net, &buffers, threads, &why);
    throw error(status, detail::format(why));
}

// A compile in the background.
class job {
  public:
    explicit job(spec layer, const options &how = {}) : layer_(std::move(layer)) {
        cvk_job *started = nullptr;
        detail::check(cvk_compile_start(layer_.get(), &how, &started));
        handle_.reset(started);
    }
    bool done() const noexcept { return cvk_job_done(handle_.get()); }
    kernel wait() const {
        cvk_kernel *made = nullptr;
        detail::judge judge;
        judge(cvk_job_wait(handle_.get(), judge.get(), &made));
        return kernel(made);
    }

  private:
    struct free_job {
        void operator()(cvk_job *j) const noexcept { cvk_job_free(j); }
    };
    spec layer_; // outlives the job, being declared first
    std::unique_ptr<cvk_job, free_job> handle_;
};

} // namespace convoke

#endif
