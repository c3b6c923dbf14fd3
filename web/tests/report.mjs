// Counts what passes and fails, and says so.

let [passed, failed] = [0, 0];

/** Runs a test; what it throws is its failure, and what it returns a remark. */
export async function test(name, body) {
  const start = performance.now();
  let remark;
  try {
    remark = await body();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}: ${error.message}`);
    return;
  }
  const took = performance.now() - start;
  console.log(`ok: ${name}${remark ? `: ${remark}` : ""}${took > 1000 ? ` (${(took / 1000).toFixed(1)} s)` : ""}`);
}

export function assert(right, text) {
  if (!right) throw new Error(text);
}

/** Takes over what another program has counted. */
export function add(more) {
  passed += more.passed;
  failed += more.failed;
}

/** The last line; the exit status. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}
