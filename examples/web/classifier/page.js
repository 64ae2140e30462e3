import { load } from "convoke";

const WIDTH = 192, HEIGHT = 48, REPEATS = 5;
const byId = (id) => document.getElementById(id);
const kernels = await load(Uint8Array.from(atob(byId("kernels").textContent), (c) => c.charCodeAt(0)));
const net = kernels.network("classifier_network");
const [input, output] = [net.info.inputs[0].name, net.info.outputs[0].name];
const canvas = byId("source"), context = canvas.getContext("2d", { willReadFrequently: true });

const GLYPHS = { // 5 x 7
  C: "01110 10001 10000 10000 10000 10001 01110", O: "01110 10001 10001 10001 10001 10001 01110",
  N: "10001 11001 11101 10111 10011 10001 10001", V: "10001 10001 10001 10001 10001 01010 00100",
  K: "10001 10010 10100 11000 10100 10010 10001", E: "11111 10000 10000 11110 10000 10000 11111",
};

function clear() {
  context.fillStyle = "#f4f0e6";
  context.fillRect(0, 0, WIDTH, HEIGHT);
}

function write(word = "CONVOKE", size = 4) {
  clear();
  context.fillStyle = "#1e193c";
  [...word].forEach((letter, i) => GLYPHS[letter].split(" ").forEach((line, y) => [...line].forEach((bit, x) => {
    if (bit === "1") context.fillRect(12 + size * (6 * i + x), 10 + size * y, size, size);
  })));
}

function turn() {
  const image = context.getImageData(0, 0, WIDTH, HEIGHT), turned = new ImageData(WIDTH, HEIGHT);
  new Uint32Array(turned.data.buffer).set(new Uint32Array(image.data.buffer).reverse());
  context.putImageData(turned, 0, 0);
}

/* Channels first, blue before red, from -1 to 1: as the model was trained. */
function fillInput() {
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT), x = net.array(input), pixels = WIDTH * HEIGHT;
  for (let c = 0; c < 3; c++) for (let i = 0; i < pixels; i++) x[c * pixels + i] = data[4 * i + 2 - c] / 127.5 - 1;
}

function classify(name) {
  fillInput();
  let least = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const begin = performance.now();
    net.run();
    least = Math.min(least, performance.now() - begin);
  }
  const [upright, over] = net.array(output), row = byId("times").tBodies[0].insertRow();
  Object.assign(row.dataset, { upright, over });
  for (const text of [name, upright.toFixed(3), over.toFixed(3), least.toFixed(2)]) row.insertCell().textContent = text;
}

let drawing = false;
canvas.onpointerdown = () => { drawing = true; };
canvas.onpointerup = () => { drawing = false; classify("drawn"); };
canvas.onpointermove = (event) => {
  if (!drawing) return;
  context.fillStyle = "#1e193c";
  context.fillRect(event.offsetX / 2 - 2, event.offsetY / 2 - 2, 4, 4);
};
byId("write").onclick = () => { write(); classify("written"); };
byId("turn").onclick = () => { turn(); classify("turned"); };
byId("clear").onclick = clear;
byId("write").click();
byId("turn").click();
document.body.dataset.ready = "yes";
