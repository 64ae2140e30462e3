/* Runs a program of WebAssembly: node wasi.js PROGRAM ARGUMENT… It sees the files there are, and nothing else of the machine. */
const { readFileSync } = require("fs");
const { WASI } = require("wasi");

const wasi = new WASI({ version: "preview1", args: process.argv.slice(2), preopens: { "/": "/" }, returnOnExit: true });
WebAssembly.instantiate(readFileSync(process.argv[2]), { wasi_snapshot_preview1: wasi.wasiImport }).then(({ instance }) => {
    process.exitCode = wasi.start(instance);
});
