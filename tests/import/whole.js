/* What a model gives, by onnxruntime: node whole.js MODEL FOLDER NAME=SHAPE... Inputs are dark strokes on white with noise over them, the
 * same every time; NUMBER.in.f32 and NUMBER.out.f32 of FOLDER are in the model's order, and shapes.json has their shapes. */
const { writeFileSync } = require("fs");
const ort = require("onnxruntime-node");
const [model, folder, ...inputs] = process.argv.slice(2);

let state = 1;
const noise = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 31 - 1;

const picture = (dims) => {
  const width = dims.at(-1), height = dims.length > 2 ? dims.at(-2) : 1;
  const strokes = Array.from({ length: width }, () => (noise() > 0 ? 2 : -2));
  const at = (row, column) => (row > height / 3 && row < height / 1.5 ? strokes[Math.floor(column / 3)] : 2);
  const count = dims.reduce((a, b) => a * b);
  return Float32Array.from({ length: count }, (_, i) => noise() / 4 + at(Math.floor(i / width) % height, i % width));
};

const write = (name, tensor) => {
  const { buffer, byteOffset, byteLength } = tensor.data;
  writeFileSync(`${folder}/${name}.f32`, Buffer.from(buffer, byteOffset, byteLength));
  return tensor.dims;
};

(async () => {
  const session = await ort.InferenceSession.create(model);
  const feeds = {};
  for (const given of inputs) {
    const [name, shape] = given.split("="), dims = shape.split("x").map(Number);
    feeds[name] = new ort.Tensor("float32", picture(dims), dims);
  }
  const results = await session.run(feeds);
  const shapes = {
    inputs: session.inputNames.map((name, i) => write(`${i}.in`, feeds[name])),
    outputs: session.outputNames.map((name, i) => write(`${i}.out`, results[name])),
  };
  writeFileSync(`${folder}/shapes.json`, JSON.stringify(shapes));
})();
