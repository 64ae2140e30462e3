import { load } from "convoke";
import { convolve } from "plain";

const WIDTH = 320, HEIGHT = 240, REPEATS = 5;
const FILTERS = ["blur", "sharpen", "emboss"], NETWORK = ["cnn_edges", "cnn_around", "cnn_corners"], RELU = ["cnn_edges", "cnn_corners"];
const byId = (id) => document.getElementById(id);

const weights = JSON.parse(byId("weights").textContent);
const kernels = await load(Uint8Array.from(atob(byId("kernels").textContent), (c) => c.charCodeAt(0)));

function prepare(name) {
  const kernel = kernels.get(`picture_${name}`);
  kernel.pack(weights[name].weights);
  kernel.array("bias").set(weights[name].bias ?? []);
  return [name, kernel];
}
const layers = new Map([...FILTERS, ...NETWORK].map(prepare));
for (let i = 1; i < NETWORK.length; i++) layers.get(NETWORK[i]).share("input", layers.get(NETWORK[i - 1]), "output");

function canvasOf(name) {
  let canvas = byId(name);
  if (canvas) return canvas;
  const figure = document.createElement("figure"), caption = document.createElement("figcaption");
  canvas = Object.assign(document.createElement("canvas"), { id: name, width: WIDTH, height: HEIGHT });
  caption.textContent = name.replaceAll("_", ", ");
  figure.append(canvas, caption);
  byId("pictures").append(figure);
  return canvas;
}

/* Four channels of so many; opaque. */
function show(name, values, channels) {
  const image = new ImageData(WIDTH, HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) for (let c = 0; c < 4; c++) image.data[4 * i + c] = c < 3 ? values[channels * i + c] : 255;
  canvasOf(name).getContext("2d").putImageData(image, 0, 0);
}

/* Circles, bars and a slope, the same every time. */
function draw() {
  const image = new ImageData(WIDTH, HEIGHT);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const bar = (x >> 4) + (y >> 4) & 1, ring = Math.round(Math.hypot(x - 220, y - 120)) % 40 < 20, at = 4 * (y * WIDTH + x);
      image.data.set([x < 140 && bar ? 230 : x * 0.6, ring && x > 140 ? 220 : y * 0.9, (x + y) % 256, 255], at);
    }
  byId("source").getContext("2d").putImageData(image, 0, 0);
}

/* The least of some runs, in milliseconds, and what came of the last. */
function time(run) {
  let least = Infinity, result;
  for (let i = 0; i < REPEATS; i++) {
    const begin = performance.now();
    result = run();
    least = Math.min(least, performance.now() - begin);
  }
  return [least, result];
}

function compare(name) {
  const kernel = layers.get(name), { weights: w, bias = [] } = weights[name];
  const [ours] = time(() => kernel.run());
  const [theirs, expected] = time(() => convolve(kernel.info, kernel.array("input"), w, bias, RELU.includes(name)));
  const output = kernel.array("output");
  const difference = output.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i])), 0);
  const row = byId("times").tBodies[0].insertRow();
  row.dataset.difference = difference;
  for (const text of [name, ours.toFixed(2), theirs.toFixed(2), (theirs / ours).toFixed(1), difference.toPrecision(2)])
    row.insertCell().textContent = text;
  show(name, output, kernel.info.outputShape[1]);
}

function runAll() {
  const picture = byId("source").getContext("2d").getImageData(0, 0, WIDTH, HEIGHT).data;
  byId("times").tBodies[0].replaceChildren();
  for (const name of [...FILTERS, NETWORK[0]]) layers.get(name).array("input").set(picture);
  for (const name of layers.keys()) compare(name);
  document.body.dataset.ready = "yes";
}

async function frame() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: WIDTH, height: HEIGHT } });
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true });
  await video.play();
  byId("source").getContext("2d").drawImage(video, 0, 0, WIDTH, HEIGHT);
  for (const track of stream.getTracks()) track.stop();
}

byId("draw").onclick = () => { draw(); runAll(); };
byId("camera").onclick = () => frame().then(runAll, (error) => alert(`There is no camera: ${error.message}`));
byId("draw").click();
