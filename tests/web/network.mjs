/* A network of the package: the table gone through, any batch, weights by name. */
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { load } from "convoke";

const kernels = await load(readFileSync("network.wasm"));
const net = kernels.network("network_network", 2);
assert.throws(() => net.run(), /pack them first/);
assert.throws(() => net.pack({ "a.weights": [1, 2] }), /a.weights is 1 numbers, not 2/);
assert.throws(() => net.array("z"), /there is no z, but x, s, y/);
assert.throws(() => kernels.network("network_a"), /bytes; this module knows/);
assert.throws(() => kernels.network("other_network"), /there is no other_network/);

const neighbours = new Array(18).fill(0).fill(1, 0, 9); // of the first of both channels
net.pack({ "a.weights": [2], "a.bias": [1], "around.weights": neighbours, "y.weights": [10, 1] });
net.array("x").set([1, 2, 3, 4, -1, 0, 0, 1]);
net.array("s").set([0, 0, 0, 100, 0, 0, 0, 0]);
for (let again = 0; again < 2; again++) net.run();
const expected = (x, sum) => 10 * x + Math.max(0, 2 * x + 1) + sum;
assert.deepEqual([...net.array("y")], [
  ...[1, 2, 3, 4].map((x) => expected(x, x === 4 ? 110 : 10)), ...[-1, 0, 0, 1].map((x) => expected(x, 0))]);
console.log("all right");
