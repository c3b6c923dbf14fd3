// Recipes of golden cases as data: what the hosts of hosts/ are given, with nothing else of softpool.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { golden, options } from "./golden.mjs";

/** Calls that together take every kind of kernel: with scratch, in several dispatches, in 1D to 3D, in halves, channels last. */
const CALLS = [
  ["d1_k3s2p1", "forward", "--lse"],
  ["d2_k3s2p1", "forward", "--lse"],
  ["d2_k3s2p1", "forward", "--dtype", "f16", "--channels-last"],
  ["d2_k3s2p1", "backward"],
  ["d2_k3s2p1", "backward", "--rule", "detached"],
  ["d2_k3s2p1", "grad-beta"],
  ["d2_k7s7", "backward"],
  ["d2_global", "forward"],
  ["d2_beta4", "backward"],
  ["d2_k2s2_odd", "forward", "--dtype", "bf16"],
  ["d3_k2s2", "forward", "--lse"],
  ["d3_k3s2p1", "backward"],
];

/**
 * Writes a folder of calls for hosts: NAME.json is what `softpool recipe --json` prints, and calls.json lists them with the
 * golden case that each is of.
 */
export function writeRecipes(softpool, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const cases = new Map(golden().map((of) => [of.name, of]));
  const calls = CALLS.map(([of, call, ...more]) => {
    const name = [of, call, ...more.map((option) => option.replace("--", ""))].join("-");
    const recipe = execFileSync(softpool, ["recipe", call, ...options(cases.get(of)), ...more, "--json"], {
      maxBuffer: 1 << 26,
    });
    fs.writeFileSync(path.join(folder, `${name}.json`), recipe);
    return { name, case: of, detached: more.includes("detached") };
  });
  fs.writeFileSync(path.join(folder, "calls.json"), JSON.stringify(calls));
  return calls;
}
