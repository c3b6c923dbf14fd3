// Tensors of recipes as bytes, by the types and strides that a recipe says.

const POISON = -7.77e33;
/** Bits behind the binary point. */
export const DIGITS = { float32: 23, float16: 10, bfloat16: 7 };

const word = new DataView(new ArrayBuffer(4));

/** A float32's bits rounded to those of bfloat16. */
function bfloat16(value) {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** A number rounded to the bits of float16, to the nearest, ties to even. */
function float16(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 1e-30)));
  const steps = magnitude / 2 ** (exponent - 10);
  const whole = Math.floor(steps);
  const rounded = whole + (steps - whole > 0.5 || (steps - whole === 0.5 && whole % 2 === 1) ? 1 : 0);
  // What rounds up to the next power of two carries into the exponent by itself.
  return sign | (rounded + (exponent + 14) * 1024);
}

function float16Value(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const magnitude =
    exponent === 31 ? (fraction ? NaN : Infinity) : exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** Where each element is in its tensor's buffer, in elements. */
function places({ shape, strides }) {
  return shape.reduce(
    (places, size, axis) => places.flatMap((place) => Array.from({ length: size }, (_, at) => place + at * strides[axis])),
    [0],
  );
}

/** The bytes of a tensor's buffer: of values, or of what must be overwritten. */
export function encode(tensor, values) {
  const data = new DataView(new ArrayBuffer(tensor.bytes));
  const size = tensor.element_type === "float32" ? 4 : 2;
  const put = (place, value) => {
    if (size === 4) data.setFloat32(4 * place, value, true);
    else data.setUint16(2 * place, tensor.element_type === "float16" ? float16(value) : bfloat16(value), true);
  };
  for (let place = 0; place < tensor.bytes / size; place++) put(place, values ? 0 : POISON);
  if (values) places(tensor).forEach((place, index) => put(place, values[index]));
  return new Uint8Array(data.buffer);
}

/** A tensor's values, in the order of its shape. */
export function decode(tensor, bytes) {
  const data = new DataView(Uint8Array.from(bytes).buffer);
  return places(tensor).map((place) => {
    if (tensor.element_type === "float32") return data.getFloat32(4 * place, true);
    const bits = data.getUint16(2 * place, true);
    if (tensor.element_type === "float16") return float16Value(bits);
    word.setUint32(0, bits << 16);
    return word.getFloat32(0);
  });
}
