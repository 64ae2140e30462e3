/* Runs kernels that `convoke compile --target wasm32-simd128` made; convoke/runtime.h, whose structures this reads from the
 * module's memory, says what their fields are. */

const ABI_VERSION = 2;
const HEADER = 64; // CVK_PACKED_HEADER

/* The rows of convoke/buffers.def: member, the description's field, how much of it a run takes, whose type it has. */
const BUFFERS = [
  ["input", "input", "image", "input_dtype"],
  ["weights", "packed_weights", "once", "weights_dtype"],
  ["bias", "bias", "once", "sums"],
  ["scale", "scale", "once", "scales"],
  ["addend", "addend", "image", "output_dtype"],
  ["output", "output", "image", "output_dtype"],
  ["scratch", "scratch", "once", "sums"],
  ["workspace", "workspace", "image", "sums"],
  ["gradient", "gradient", "image", "weights_dtype"],
  ["indices", "indices", "image", "int32"],
  ["gate", "gate", "image", "output_dtype"],
  ["shift", "shift", "once", "int32"],
];

/* Of cvk_operation, those that sum over images: gradients of weights. */
const WEIGHTS_GRADIENTS = [2, 3];

/* The fields of cvk_kernel_info, in their order: name, type, how many where it is an array. */
const FIELDS = [
  ["struct_size", "u32"], ["abi_version", "u32"], ["cpu_features", "u64"], ["packed_tag", "u64"],
  ["input_shape", "i64", 5], ["weights_shape", "i64", 5], ["output_shape", "i64", 5],
  ["input_layout", "u32"], ["output_layout", "u32"],
  ["input_dtype", "u32"], ["weights_dtype", "u32"], ["output_dtype", "u32"], ["spatial_rank", "u32"], ["addends", "u32"],
  ["scales", "u32"], ["batch_any", "u32"], ["kilocycles", "u32"], ["phases", "u32"], ["operation", "u32"],
  ["tasks", "u32", 8], ["name", "text"], ["target", "text"], ["plan", "text"], ["run", "u32"], ["pack", "u32"],
  ["reserved_pointer", "u32"], ["weights", "buffer"], ...BUFFERS.map(([, needs]) => [needs, "buffer"]),
];
const WIDTH = { u32: 4, u64: 8, i64: 8, text: 4, buffer: 16 };

const READERS = {
  u32: (view, at) => view.getUint32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
  i64: (view, at) => Number(view.getBigInt64(at, true)),
  text: (view, at) => textAt(view, view.getUint32(at, true)),
  buffer: (view, at) => ({ bytes: Number(view.getBigUint64(at, true)), alignment: view.getUint32(at + 8, true) }),
};

const LAYOUTS = ["channels_first", "channels_last", "blocked"];
const ARRAYS = [Float32Array, Float64Array, Uint16Array, Uint16Array, Int8Array, Uint8Array, Int32Array]; // by dtype; of halves, their bits
const SUMS = [0, 1, 0, 0, 6, 6, 6]; // what each is summed in

function textAt(view, at) {
  let end = at;
  while (view.getUint8(end)) end++;
  return new TextDecoder().decode(new Uint8Array(view.buffer, at, end - at));
}

function readInfo(memory, address) {
  const view = new DataView(memory.buffer), info = {};
  let at = address;
  for (const [name, type, count] of FIELDS) {
    const one = (i) => READERS[type](view, at + i * WIDTH[type]);
    info[name] = count ? Array.from({ length: count }, (_, i) => one(i)) : one(0);
    at += WIDTH[type] * (count ?? 1);
    if (name === "abi_version" && (info.abi_version !== ABI_VERSION || info.struct_size !== INFO_BYTES))
      throw new TypeError(`the kernels are of ABI ${info.abi_version}, ${info.struct_size} bytes; this module knows ${ABI_VERSION}, ${INFO_BYTES}`);
  }
  return info;
}
const INFO_BYTES = FIELDS.reduce((sum, [, type, count]) => sum + WIDTH[type] * (count ?? 1), 0);

const roundUp = (n, alignment) => Math.ceil(n / alignment) * alignment;

/* A shape that begins with 0 begins with the images of a run, where that may be any. */
function withImages(info, what, images) {
  const [first, ...rest] = info[`${what}_shape`], summing = WEIGHTS_GRADIENTS.includes(info.operation);
  const counted = info.batch_any && what !== (summing ? "output" : "weights");
  return [counted ? images : first, ...rest];
}

/* One compiled layer and buffers of its own in the module's memory, which stay as long as the module does. */
class Kernel {
  #module; #address; #at = {}; #arguments; #images;

  constructor(module, info, images) {
    this.#module = module;
    this.#images = images;
    this.info = {
      ...info, inputLayout: LAYOUTS[info.input_layout], outputLayout: LAYOUTS[info.output_layout],
      ...Object.fromEntries(["input", "weights", "output"].map((what) => [`${what}Shape`, withImages(info, what, images)])),
    };
    for (const [member, needs] of BUFFERS) this.#at[member] = module.allocate(this.#bytes(member), info[needs].alignment);
    this.#arguments = module.allocate(8 + 4 * BUFFERS.length, 8);
  }

  #row(member) {
    const row = BUFFERS.find(([name]) => name === member);
    if (!row) throw new TypeError(`there is no buffer ${member}`);
    return row;
  }

  #bytes(member) {
    const [, needs, share] = this.#row(member);
    return this.info[needs].bytes * (share === "image" && this.info.batch_any ? this.#imagesOf(member) : 1);
  }

  /* How many times the bytes of an image: cvk_buffer_needs. */
  #imagesOf(member) {
    if (!this.#summing) return this.#images;
    return member === "output" || (member === "workspace" && !this.#images) ? 1 : this.#images;
  }

  get #summing() { return WEIGHTS_GRADIENTS.includes(this.info.operation); }

  /* cvk_phase_tasks */
  #tasks(phase) {
    const once = !this.info.batch_any || (phase > 0 && this.#summing);
    return this.info.tasks[phase] * (once ? 1 : this.#images);
  }

  /* The bias is of what the input is summed in; scales are too, or float, or integers that have shifts. */
  #type(member) {
    const type = this.#row(member)[3], sums = ARRAYS[SUMS[this.info.input_dtype]];
    if (type === "int32") return Int32Array;
    if (type === "scales") return this.info.shift.bytes || sums === Float64Array ? sums : Float32Array;
    return ARRAYS[type !== "sums" ? this.info[type] : SUMS[this.info.input_dtype]];
  }

  /* A view of a buffer; of no elements where the layer has none. */
  array(member) {
    const Type = this.#type(member), bytes = this.#bytes(member);
    return new Type(this.#module.memory.buffer, this.#at[member], bytes / Type.BYTES_PER_ELEMENT);
  }

  /* This kernel's `member` is from now on the other one's `theirs`. */
  share(member, other, theirs) {
    if (other.#module !== this.#module) throw new TypeError("the kernels are of different modules");
    if (this.#bytes(member) !== other.#bytes(theirs) || this.#type(member) !== other.#type(theirs))
      throw new RangeError(`${member} has ${this.#bytes(member)} bytes, and ${theirs} of ${other.info.name} ${other.#bytes(theirs)}`);
    this.#at[member] = other.#at[theirs];
  }

  /* Dense weights, in C order. */
  pack(weights) {
    const { info } = this, Type = this.#type("weights"), count = info.weights.bytes / Type.BYTES_PER_ELEMENT;
    if (!info.pack) throw new TypeError(`${info.name} takes no weights`);
    if (weights.length !== count) throw new RangeError(`${info.name} takes ${count} weights, not ${weights.length}`);
    const dense = this.#module.borrow(info.weights.bytes, info.weights.alignment);
    new Type(this.#module.memory.buffer, dense, count).set(weights);
    this.#module.call(info.pack, dense, this.#at.weights);
  }

  run() {
    const { info } = this, view = new DataView(this.#module.memory.buffer);
    if (info.packed_tag && view.getBigUint64(this.#at.weights, true) !== info.packed_tag)
      throw new TypeError(`${info.name} has no weights: pack them first`);
    view.setBigUint64(this.#arguments, BigInt(this.#images), true);
    BUFFERS.forEach(([member], i) => view.setUint32(this.#arguments + 8 + 4 * i, this.#at[member], true));
    for (let phase = 0; phase < info.phases; phase++) this.#module.call(info.run, this.#arguments, phase, 0, this.#tasks(phase));
  }
}

/* A module of kernels. Its memory grows and never shrinks. */
class Kernels {
  #exports; #free; #borrowed = { at: 0, bytes: 0 };

  constructor(instance) {
    this.#exports = instance.exports;
    if (!this.#exports.__heap_base) throw new TypeError("the module has no __heap_base: link it with --export-all");
    this.#free = this.#exports.__heap_base.value;
  }

  get memory() { return this.#exports.memory; }

  /* The symbols there are. */
  get names() {
    return Object.keys(this.#exports).filter((name) => !name.startsWith("__") && this.#exports[name] instanceof WebAssembly.Global);
  }

  /* A kernel with buffers of its own, for so many images where the layer takes any number. */
  get(symbol, images = 1) {
    if (!this.names.includes(symbol)) throw new TypeError(`there is no kernel ${symbol}, but ${this.names.join(", ")}`);
    return new Kernel(this, readInfo(this.memory, this.#exports[symbol].value), images);
  }

  allocate(bytes, alignment) {
    const at = roundUp(this.#free, Math.max(alignment, HEADER)), end = at + bytes, size = this.memory.buffer.byteLength;
    if (end > size) this.memory.grow(Math.ceil((end - size) / 65536));
    this.#free = end;
    return at;
  }

  /* Memory until the next call. */
  borrow(bytes, alignment) {
    if (bytes > this.#borrowed.bytes) this.#borrowed = { at: this.allocate(bytes, alignment), bytes };
    return this.#borrowed.at;
  }

  call(index, ...values) { return this.#exports.__indirect_function_table.get(index)(...values); }
}

/* Of the bytes of a module, a WebAssembly.Module, or a Response or the promise of one. */
export async function load(source) {
  const given = await source;
  const bytes = typeof Response !== "undefined" && given instanceof Response ? await given.arrayBuffer() : given;
  const made = await WebAssembly.instantiate(bytes, {});
  return new Kernels(made.instance ?? made);
}
