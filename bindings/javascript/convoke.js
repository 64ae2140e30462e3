/* Runs kernels and networks that `convoke compile --target wasm32-simd128` made; convoke/runtime.h, whose structures this reads from the
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
const KERNEL = [
  ["struct_size", "u32"], ["abi_version", "u32"], ["cpu_features", "u64"], ["packed_tag", "u64"],
  ["input_shape", "i64", 5], ["weights_shape", "i64", 5], ["output_shape", "i64", 5],
  ["input_layout", "u32"], ["output_layout", "u32"],
  ["input_dtype", "u32"], ["weights_dtype", "u32"], ["output_dtype", "u32"], ["spatial_rank", "u32"], ["addends", "u32"],
  ["scales", "u32"], ["batch_any", "u32"], ["kilocycles", "u32"], ["phases", "u32"], ["operation", "u32"],
  ["tasks", "u32", 8], ["name", "text"], ["target", "text"], ["plan", "text"], ["run", "u32"], ["pack", "u32"],
  ["reserved_pointer", "u32"], ["weights", "buffer"], ...BUFFERS.map(([, needs]) => [needs, "buffer"]),
];
/* Of cvk_network_info, and of what it points to. No field needs padding before it. */
const NETWORK = [
  ["struct_size", "u32"], ["abi_version", "u32"],
  ["inputs", "u32"], ["outputs", "u32"], ["weights", "u32"], ["steps", "u32"], ["roles", "u32"], ["batch_any", "u32"],
  ["packed_weights", "buffer"], ["workspace", "buffer"], ["name", "text"], ["target", "text"],
  ["input", "u32"], ["output", "u32"], ["weight", "u32"], ["step", "u32"],
];
const TENSOR = [
  ["shape", "i64", 5], ["bytes", "u64"], ["alignment", "u32"], ["spatial_rank", "u32"], ["layout", "u32"], ["dtype", "u32"],
  ["name", "text"], ["reserved_pointer", "u32"],
];
const WEIGHT = [
  ["shape", "i64", 5], ["bytes", "u64"], ["packed", "u64"], ["step", "u32"], ["role", "u32"], ["dtype", "u32"], ["alignment", "u32"],
  ["name", "text"], ["reserved_pointer", "u32"],
];
const STEP = [["name", "text"], ["kernel", "u32"], ["place", "u32"]];
const PLACE = [["space", "u32"], ["index", "u32"], ["bytes", "u64"], ["image_bytes", "u64"]];
const SPACES = [null, "input", "output", "weights", "workspace"]; // cvk_space

const WIDTH = { u32: 4, u64: 8, i64: 8, text: 4, buffer: 16 };
const sizeOf = (fields) => fields.reduce((sum, [, type, count]) => sum + WIDTH[type] * (count ?? 1), 0);

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

function readFields(view, at, fields) {
  const read = {};
  for (const [name, type, count] of fields) {
    const one = (i) => READERS[type](view, at + i * WIDTH[type]);
    read[name] = count ? Array.from({ length: count }, (_, i) => one(i)) : one(0);
    at += WIDTH[type] * (count ?? 1);
  }
  return read;
}

function readRows(view, at, count, fields) {
  return Array.from({ length: count }, (_, i) => readFields(view, at + i * sizeOf(fields), fields));
}

/* A description that begins with its size and the ABI's version. */
function readInfo(memory, address, fields) {
  const view = new DataView(memory.buffer), head = readFields(view, address, fields.slice(0, 2));
  if (head.abi_version !== ABI_VERSION || head.struct_size !== sizeOf(fields))
    throw new TypeError(`this is of ABI ${head.abi_version}, ${head.struct_size} bytes; this module knows ${ABI_VERSION}, ${sizeOf(fields)}`);
  return readFields(view, address, fields);
}

const roundUp = (n, alignment) => Math.ceil(n / alignment) * alignment;

/* A shape that begins with 0 begins with the images of a run, where that may be any. */
function withImages(info, what, images) {
  const [first, ...rest] = info[`${what}_shape`];
  const counted = info.batch_any && what !== (isSumming(info) ? "output" : "weights");
  return [counted ? images : first, ...rest];
}

const isSumming = (info) => WEIGHTS_GRADIENTS.includes(info.operation);

/* cvk_phase_tasks */
function tasksOf(info, images, phase) {
  const once = !info.batch_any || (phase > 0 && isSumming(info));
  return info.tasks[phase] * (once ? 1 : images);
}

/* The bias is of what the input is summed in; scales are too, or float, or integers that have shifts. */
function typeOf(info, type) {
  const sums = ARRAYS[SUMS[info.input_dtype]];
  if (type === "int32") return Int32Array;
  if (type === "scales") return info.shift.bytes || sums === Float64Array ? sums : Float32Array;
  return type === "sums" ? sums : ARRAYS[info[type]];
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
    if (!isSumming(this.info)) return this.#images;
    return member === "output" || (member === "workspace" && !this.#images) ? 1 : this.#images;
  }

  #type(member) { return typeOf(this.info, this.#row(member)[3]); }

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
    checkTag(view, info, this.#at.weights);
    view.setBigUint64(this.#arguments, BigInt(this.#images), true);
    BUFFERS.forEach(([member], i) => view.setUint32(this.#arguments + 8 + 4 * i, this.#at[member], true));
    runPhases(this.#module, info, this.#arguments, this.#images);
  }
}

function checkTag(view, info, at) {
  if (info.packed_tag && view.getBigUint64(at, true) !== info.packed_tag)
    throw new TypeError(`${info.name} has no weights: pack them first`);
}

function runPhases(module, info, args, images) {
  for (let phase = 0; phase < info.phases; phase++) module.call(info.run, args, phase, 0, tasksOf(info, images, phase));
}

/* A network: a table of steps, gone through; its inputs, outputs, weights and workspace stay as long as the module does. */
class Network {
  #module; #images; #steps; #at = {}; #tensors = new Map(); #packed = false;

  constructor(module, info, images) {
    const view = new DataView(module.memory.buffer);
    const sides = { input: readRows(view, info.input, info.inputs, TENSOR), output: readRows(view, info.output, info.outputs, TENSOR) };
    this.#module = module;
    this.#images = info.batch_any ? images : 1;
    this.info = { ...info, inputs: sides.input, outputs: sides.output, weights: readRows(view, info.weight, info.weights, WEIGHT) };
    const scale = BigInt(this.#images), steps = readRows(view, info.step, info.steps, STEP).map((step) => ({
      ...step, kernel: readInfo(module.memory, step.kernel, KERNEL), places: readRows(view, step.place, info.roles, PLACE),
    }));
    for (const [side, tensors] of Object.entries(sides))
      this.#at[side] = tensors.map((t) => {
        const bytes = Number(t.bytes * scale), at = module.allocate(bytes, t.alignment);
        this.#tensors.set(t.name, { ...t, at, bytes });
        return at;
      });
    this.#at.weights = module.allocate(info.packed_weights.bytes, info.packed_weights.alignment);
    this.#at.workspace = module.allocate(this.#workspace(steps), info.workspace.alignment);
    this.#steps = steps.map((step) => ({ kernel: step.kernel, arguments: this.#argumentsOf(step) }));
  }

  #offset(place) { return Number(place.bytes + place.image_bytes * (this.info.batch_any ? BigInt(this.#images) : 0n)); }

  /* cvk_network_workspace, of one worker */
  #workspace(steps) {
    const scratch = BUFFERS.findIndex(([member]) => member === "scratch");
    const ends = steps.map(({ kernel, places }) => (places[scratch].space ? this.#offset(places[scratch]) + kernel.scratch.bytes : 0));
    return Math.max(this.info.workspace.bytes * this.#images, ...ends);
  }

  /* Where a buffer of a step begins; 0: there is none. */
  #addressOf(place) {
    const space = SPACES[place.space];
    if (!space) return 0;
    const base = space === "input" || space === "output" ? this.#at[space][place.index] : this.#at[space];
    return base + this.#offset(place);
  }

  /* The arguments of a step never change. */
  #argumentsOf({ places }) {
    const at = this.#module.allocate(8 + 4 * BUFFERS.length, 8), view = new DataView(this.#module.memory.buffer);
    view.setBigUint64(at, BigInt(this.#images), true);
    places.forEach((place, i) => view.setUint32(at + 8 + 4 * i, this.#addressOf(place), true));
    return at;
  }

  /* A view of the input or output of that name. */
  array(name) {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new TypeError(`there is no ${name}, but ${[...this.#tensors.keys()].join(", ")}`);
    const Type = ARRAYS[tensor.dtype];
    return new Type(this.#module.memory.buffer, tensor.at, tensor.bytes / Type.BYTES_PER_ELEMENT);
  }

  /* Dense arrays by name, such as { "conv.weights": [...], "conv.bias": [...] }. */
  pack(arrays) {
    let dense, gathered = 0; // of a kernel that is a chain the layers' weights follow on one another, and are packed together
    for (const weight of this.info.weights) {
      const Type = ARRAYS[weight.dtype], bytes = Number(weight.bytes), values = arrays[weight.name];
      if (values?.length !== bytes / Type.BYTES_PER_ELEMENT)
        throw new RangeError(`${weight.name} is ${bytes / Type.BYTES_PER_ELEMENT} numbers, not ${values?.length ?? "absent"}`);
      const { kernel } = this.#steps[weight.step], to = this.#at.weights + Number(weight.packed);
      const isWeights = BUFFERS[weight.role][0] === "weights";
      if (!gathered) dense = isWeights ? this.#module.borrow(kernel.weights.bytes, weight.alignment) : to;
      new Type(this.#module.memory.buffer, dense + gathered, values.length).set(values);
      gathered = isWeights && gathered + bytes < kernel.weights.bytes ? gathered + bytes : 0;
      if (isWeights && !gathered) this.#module.call(kernel.pack, dense, to);
    }
    this.#packed = true;
  }

  run() {
    if (this.info.weights.length && !this.#packed) throw new TypeError(`${this.info.name} has no weights: pack them first`);
    for (const step of this.#steps) runPhases(this.#module, step.kernel, step.arguments, this.#images);
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
  get(symbol, images = 1) { return new Kernel(this, this.#read(symbol, KERNEL), images); }

  /* A network with buffers of its own, likewise: FILE_network. */
  network(symbol, images = 1) { return new Network(this, this.#read(symbol, NETWORK), images); }

  #read(symbol, fields) {
    if (!this.names.includes(symbol)) throw new TypeError(`there is no ${symbol}, but ${this.names.join(", ")}`);
    return readInfo(this.memory, this.#exports[symbol].value, fields);
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
