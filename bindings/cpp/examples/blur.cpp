// Blurs a small picture with a 3 x 3 mean, and prints it.
#include <convoke.hpp>

#include <cstdio>

int main() try {
    const auto net =
        convoke::network::parse("version: 1\n"
                                "layers: [{name: blur, input: [1, 1, 4, 6], out_channels: 1, kernel_size: 3, "
                                "padding: 1, padding_mode: replicate, bias: true}]\n");
    const convoke::kernel blur = convoke::compile(net["blur"]);
    const std::vector<float> mean(9, 1.0f / 9), bias{1};
    std::vector<float> picture(24), blurred(blur.output_elements());
    for (std::size_t i = 0; i < picture.size(); i++) picture[i] = i % 6 < 3 ? 0.0f : 9.0f;

    const convoke::weights packed(blur, mean);
    blur.run(convoke::arguments(picture, packed, blurred).bias(bias));
    for (std::size_t i = 0; i < blurred.size(); i++) std::printf("%5.1f%s", double(blurred[i]), i % 6 == 5 ? "\n" : "");
    return 0;
} catch (const convoke::error &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
