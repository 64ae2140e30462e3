// MODEL THREADS SHAPE...: runs the model twice for each line on stdin, and prints the milliseconds that the second took. Inputs are random, in the
// order of the model's; a shape is TYPE:1x3x640x640. The first line printed is the version.
'use strict';
const [model, threads, ...shapes] = process.argv.slice(1);
let ort;
try {
  ort = require('onnxruntime-node');
} catch (error) {
  console.log('absent');
  process.exit(0);
}
const arrays = {float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array};

function tensor(shape) {
  const [type, sizes] = shape.split(':');
  const dims = sizes.split('x').map(Number);
  const data = new arrays[type](dims.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = type.startsWith('float') ? Math.random() * 2 - 1 : Math.random() * 100;
  return new ort.Tensor(type, data, dims);
}

async function main() {
  const session = await ort.InferenceSession.create(
      model, {intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all'});
  const feeds = {};
  session.inputNames.forEach((name, i) => { feeds[name] = tensor(shapes[i]); });
  await session.run(feeds);
  console.log(`ready ${require('onnxruntime-node/package.json').version}`);
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    await session.run(feeds);  // what others left of the caches is not counted
    const start = process.hrtime.bigint();
    await session.run(feeds);
    console.log(line ? Number(process.hrtime.bigint() - start) / 1e6 : '');
  }
}

main().catch(error => {
  console.log(`failed ${String(error.message).split('\n')[0]}`);
  process.exitCode = 1;
});
