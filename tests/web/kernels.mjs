/* The package on the kernels of examples/layers.yaml and of a layer for any batch. */
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { load } from "convoke";

const kernels = await load(readFileSync("layers.wasm"));
assert.deepEqual(kernels.names.sort(), ["example_block", "example_edges", "example_halves", "example_learn", "example_many", "example_pool"]);

const edges = kernels.get("example_edges");
assert.throws(() => edges.run(), /pack them first/);
assert.throws(() => edges.pack([1, 2]), /takes 9 weights, not 2/);
edges.pack([1, 0, -1, 1, 0, -1, 1, 0, -1]);
edges.array("input").set(Array.from({ length: 36 }, (_, i) => (i % 6 < 3 ? 10 : 0)));
edges.run();
assert.deepEqual([...edges.array("output").slice(0, 8)], [0, 30, 30, 0, 0, 30, 30, 0]);
assert.deepEqual(edges.info.outputShape, [1, 1, 1, 4, 4]);
assert.equal(edges.array("bias").length, 0);

const block = kernels.get("example_block");
block.pack(new Float32Array(24 * 8 * 9).fill(1));
block.array("input").fill(1);
block.array("bias").fill(-40);
block.run();
const [corner, middle] = [0, 24 * (12 * 5 + 5)];
assert.deepEqual([block.array("output")[corner], block.array("output")[middle]], [0, 32]);
assert.equal(block.info.inputLayout, "channels_last");
assert.throws(() => block.share("input", edges, "output"), /bytes/);
assert.throws(() => block.array("inputs"), /there is no buffer inputs/);

const many = kernels.get("example_many", 3);
many.pack([1, 2, 3, 4]);
many.array("input").set(Array.from({ length: 96 }, (_, i) => i));
many.array("bias").set([100, 200]);
many.array("addend").fill(1000);
many.run();
assert(many.array("output") instanceof Float64Array && many.array("output").length === 96);
for (let n = 0; n < 3; n++)
  for (let i = 0; i < 16; i++) {
    const [a, b] = [32 * n + i, 32 * n + 16 + i];
    assert.equal(many.array("output")[a], a + 2 * b + 1100);
    assert.equal(many.array("output")[b], 3 * a + 4 * b + 1200);
  }
const halves = kernels.get("example_halves");
halves.pack([0x4000]); // 2
halves.array("input").set([0x3c00, 0x4000, 0xbc00, 0]);
halves.array("bias").set([0.5]);
halves.run();
assert.deepEqual([...halves.array("output")], [0x4100, 0x4480, 0xbe00, 0x3800]);

const pool = kernels.get("example_pool", 2);
pool.array("input").set([1, 5, 7, 2, -1, -2, 0, 3]);
pool.run();
assert.deepEqual([[...pool.array("output")], [...pool.array("indices")]], [[5, 7, -1, 3], [1, 2, 0, 3]]);

const learn = kernels.get("example_learn", 3);
learn.array("input").set([1, 2, 3, 4, 5, 6]);
learn.array("gradient").fill(10);
learn.run();
assert.deepEqual([...learn.array("output")], [210]);

assert.throws(() => kernels.get("nothing"), /there is no nothing, but example_/);
console.log("all right");
