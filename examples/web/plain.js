/* A convolution as one writes it down: channels last, as large out as in, borders repeated. */
export function convolve(info, input, weights, bias, relu) {
  const [, channels, , height, width] = info.inputShape, outputs = info.outputShape[1];
  const [, inner, , rows, columns] = info.weightsShape, perGroup = outputs / (channels / inner);
  const result = new Float32Array(height * width * outputs);
  const within = (i, size) => Math.min(size - 1, Math.max(0, i));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let o = 0; o < outputs; o++) {
        const first = Math.floor(o / perGroup) * inner;
        let sum = bias.length ? bias[o] : 0;
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) {
            const at = (within(y + r - (rows >> 1), height) * width + within(x + c - (columns >> 1), width)) * channels + first;
            for (let i = 0; i < inner; i++) sum += input[at + i] * weights[((o * inner + i) * rows + r) * columns + c];
          }
        result[(y * width + x) * outputs + o] = relu ? Math.max(0, sum) : sum;
      }
  return result;
}
