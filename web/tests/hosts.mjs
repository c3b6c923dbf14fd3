// Recipes as data on two hosts that have nothing else of softpool: JavaScript in Chromium, and Python's wgpu.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { golden } from "./golden.mjs";
import { writeRecipes } from "./recipes.mjs";
import { add, assert, test } from "./report.mjs";
import { DIGITS, decode, encode } from "./stored.mjs";

/** What results may be off by: 16 ulp of the largest, and the rounding of what they are stored as, of inputs too. */
function allowed(tensor, want) {
  const largest = want.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const roundings = tensor.element_type === "float32" ? 0.5 : 2;
  return (16 * 2 ** -23 + roundings * 2 ** -DIGITS[tensor.element_type]) * largest;
}

export async function hosts(page, softpool, folder) {
  const calls = writeRecipes(softpool, folder);
  const cases = new Map(golden().map((of) => [of.name, of]));
  const run = (address, inputs) =>
    page.evaluate(async ([address, inputs]) => (await import("/tests/host_in_page.mjs")).run(address, inputs), [
      address,
      inputs,
    ]);
  console.log(`JavaScript without wasm, on ${await page.evaluate(async () => (await import("/tests/host_in_page.mjs")).adapter())}`);
  for (const call of calls) {
    await test(`JavaScript host, ${call.name}`, async () => {
      const recipe = JSON.parse(fs.readFileSync(path.join(folder, `${call.name}.json`), "utf8"));
      const of = cases.get(call.case);
      const inputs = recipe.tensors.map((tensor) => [
        tensor.name,
        [...encode(tensor, tensor.written ? undefined : of[tensor.name])],
      ]);
      const results = await run(`/recipes/${call.name}.json`, Object.fromEntries(inputs));
      let worst = 0;
      for (const tensor of recipe.tensors.filter((tensor) => tensor.written)) {
        const name = call.detached && tensor.name === "grad_input" ? "grad_input_detached" : tensor.name;
        const want = name === "grad_beta" ? [of.grad_beta] : [...of[name]];
        const got = decode(tensor, results[tensor.name]);
        assert(got.length === want.length, `${name} has ${got.length} values, not ${want.length}`);
        const limit = allowed(tensor, want);
        got.forEach((value, index) => {
          const error = Math.abs(value - want[index]) / limit;
          assert(error <= 1, `${name}[${index}] is ${value}, not ${want[index]}`);
          worst = Math.max(worst, error);
        });
      }
      return `${worst.toFixed(3)} of what is allowed`;
    });
  }
  const python = spawnSync("target/hosts/bin/python", ["hosts/test.py", folder], { encoding: "utf8" });
  console.log(python.stdout);
  const counted = /(\d+) passed, (\d+) failed\s*$/.exec(python.stdout ?? "");
  if (counted) {
    add({ passed: Number(counted[1]), failed: Number(counted[2]) });
  } else {
    await test("Python host", () => {
      throw new Error(`${python.error ?? ""} ${python.stderr}: run web/setup test`);
    });
  }
}
