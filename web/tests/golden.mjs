// The cases of tests/golden, and the options of the command line that say the same.
import fs from "node:fs";
import path from "node:path";

const folder = path.join(import.meta.dirname, "../../tests/golden");

/** Reads a .npy file of float32 or float64, or nothing where there is none. */
export function npy(file) {
  if (!fs.existsSync(file)) return undefined;
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.subarray(10, start).toString("latin1");
  const kinds = { "<f4": Float32Array, "<f8": Float64Array };
  const kind = kinds[/'descr': *'([^']*)'/.exec(header)?.[1]];
  if (!kind || /'fortran_order': *True/.test(header)) throw new Error(`${file}: ${header}`);
  return new kind(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

/** Every case, with its files. */
export function golden() {
  const names = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, "case.json")));
  if (names.length !== 44) throw new Error(`tests/golden has ${names.length} cases, not 44`);
  return names.sort().map((name) => {
    const file = (of) => path.join(folder, name, of);
    const description = JSON.parse(fs.readFileSync(file("case.json"), "utf8"));
    const arrays = ["x", "y", "lse", "grad_output", "grad_input", "grad_input_detached"];
    return { ...description, ...Object.fromEntries(arrays.map((of) => [of, npy(file(`${of}.npy`))])) };
  });
}

/** The options of a case for `softpool recipe`. */
export function options(of) {
  const list = (name, values) => [`--${name}`, values.join(",")];
  return [
    ...list("input-size", of.input_shape),
    ...list("kernel", of.kernel),
    ...list("stride", of.stride),
    ...list("padding", of.padding),
    ...list("dilation", of.dilation),
    ...(of.ceil_mode ? ["--ceil-mode"] : []),
    ...["--beta", String(of.beta)],
  ];
}
