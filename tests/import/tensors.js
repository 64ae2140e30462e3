/* What a model's tensors are, by onnxruntime: node tensors.js MODEL TABLE FOLDER SHAPE. TABLE is what `convoke import --format json`
 * said; each tensor that a layer reads or makes is written to FOLDER/NUMBER.f32, and names.json says of which it is which. */
const { readFileSync, writeFileSync } = require("fs");
const ort = require("onnxruntime-node");
const [modelPath, tablePath, folder, shape] = process.argv.slice(2);

/* A message of protobuf that is written behind another one of its kind adds to it: so outputs are added to the graph. */
const varint = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const field = (number, bytes) => Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
const output = (name) => field(12, field(1, Buffer.from(name)));

(async () => {
  const plain = readFileSync(modelPath), layers = JSON.parse(readFileSync(tablePath)).rows.filter((row) => row.fate === "layer" && row.op !== "Concat");
  const input = (await ort.InferenceSession.create(plain)).inputNames[0], own = (await ort.InferenceSession.create(plain)).outputNames;
  const names = [...new Set(layers.flatMap((l) => [l.input, l.output, ...l.addends.split(" "), ...l.gates.split(" ")]))].filter((n) => n && n !== input);
  const added = names.filter((n) => !own.includes(n)).map(output);
  const session = await ort.InferenceSession.create(Buffer.concat([plain, field(7, Buffer.concat(added))]), { graphOptimizationLevel: "disabled" });
  const dims = shape.split("x").map(Number), count = dims.reduce((a, b) => a * b);
  let state = 1; // a picture of noise, the same every time
  const values = Float32Array.from({ length: count }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 31 - 1);
  const results = { [input]: new ort.Tensor("float32", values, dims), ...(await session.run({ [input]: new ort.Tensor("float32", values, dims) })) };
  const index = {};
  [input, ...names].forEach((name, i) => {
    index[name] = { file: `${i}.f32`, dims: results[name].dims };
    writeFileSync(`${folder}/${i}.f32`, Buffer.from(results[name].data.buffer, results[name].data.byteOffset, results[name].data.byteLength));
  });
  writeFileSync(`${folder}/names.json`, JSON.stringify(index));
})();
