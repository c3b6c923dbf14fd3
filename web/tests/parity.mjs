// The crate itself in the browser: right on every golden case, at what start-up, and with no word from the browser's compiler.
import { golden } from "./golden.mjs";
import { assert, test } from "./report.mjs";

/** Milliseconds from the first call of a pooling to its result on Chromium's software adapter: forward and backward. */
const TARGETS = { small: [200, 400], any: [1500, 1500] };
/** What holds on two cores that others keep busy as well. */
const BUDGETS = { small: [1000, 2500], any: [2500, 5000] };

const START_UP = [
  ["k2 s2", "small", { kernel: [2, 2] }],
  ["k3 s2 p1", "small", { kernel: [3, 3], stride: [2], padding: [1] }],
  ["k3 s1 p1", "small", { kernel: [3, 3], stride: [1], padding: [1] }],
  ["k5 s1 p2", "small", { kernel: [5, 5], stride: [1], padding: [2] }],
  ["k7 s1 p3", "small", { kernel: [7, 7], stride: [1], padding: [3] }],
  ["global", "any", { output_size: [1, 1] }],
  ["adaptive", "any", { output_size: [7, 7] }],
  ["k13 s1 p6", "any", { kernel: [13, 13], stride: [1], padding: [6] }],
];

/** Cases that are run in 16 bits and channels-last, too: one for each way to compute. */
const STORED = ["d1_k3s2p1", "d2_k2s2_odd", "d2_k3s1p1", "d2_k7s7"];
/** Cases whose further derivatives are run: all but those that take the same kernels as others. */
const DERIVATIVES = ["d1_k3s2p1", "d2_k2s2_odd", "d2_k3s2p1", "d2_k7s7", "d2_k12", "d2_beta4", "d3_k2s2"];

/** Normal numbers, other ones in each run; the seed is printed. */
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
function normals(count, of) {
  let state = (seed ^ [...of].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 7)) >>> 0;
  const uniform = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** In the page: runs a case, and says what is wrong with it. */
async function inPage({ description, x, gradOutput, tangent, expected }) {
  const of = window.checks;
  const floats = (values) => Float32Array.from(values ?? []);
  // JSON has neither.
  const value = (text) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[text] ?? text;
  const doubles = (values) => (values ? Float64Array.from(values.map(value)) : undefined);
  const check = new of.Check(JSON.stringify(description), floats(x.map(value)), floats(gradOutput), floats(tangent));
  if (expected) check.expect(doubles(expected.y), doubles(expected.lse), doubles(expected.gradInput));
  try {
    await window.browser.run(check);
    check.compare();
  } catch (error) {
    return of.panic_text() || String(error.message ?? error);
  }
  check.free();
  return "";
}

const written = (values) =>
  values && [...values].map((value) => (Number.isFinite(value) ? value : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"));

async function open(page) {
  return page.evaluate(async () => {
    window.checks = await import("/checks/softpool.js");
    await window.checks.default();
    window.browser = await window.checks.Browser.open();
    return `${window.browser.name()}, tuning ${window.browser.tuning()}, ${await window.browser.natives()}`;
  });
}

export async function parity(page) {
  console.log(`the crate in wasm, on ${await open(page)}; SEED=${seed}`);

  // First of all, since a browser keeps what it has compiled.
  for (const [name, kind, windows] of START_UP) {
    await test(`start-up of ${name}`, async () => {
      const description = { name, shape: [2, 8, 56, 60], ...windows };
      const count = 2 * 8 * 56 * 60;
      const times = await page.evaluate(
        async ([description, x]) => {
          const check = new window.checks.Check(JSON.stringify(description), Float32Array.from(x), new Float32Array(), Float32Array.from(x));
          return [...(await window.browser.start_up(check))];
        },
        [description, normals(count, name)],
      );
      const [forward, backward, again, backwardAgain] = times.map(Math.round);
      const [most, mostBack] = BUDGETS[kind];
      const [target, targetBack] = TARGETS[kind];
      const figures =
        `forward ${forward} ms (budget ${most}, target ${target}), backward ${backward} ms (budget ${mostBack}, target ` +
        `${targetBack}); again ${again} and ${backwardAgain} ms`;
      assert(forward <= most && backward <= mostBack, figures);
      return figures;
    });
  }

  await test("what is prepared is not compiled again", async () => {
    const description = { name: "k4 s2", shape: [1, 3, 72, 128], kernel: [4, 4], stride: [2] };
    const [prepared, first] = await page.evaluate(
      async ([description, x]) => {
        const check = new window.checks.Check(JSON.stringify(description), Float32Array.from(x), new Float32Array(), Float32Array.from(x));
        return [...(await window.browser.prepared(check))];
      },
      [description, normals(3 * 72 * 128, "prepared")],
    );
    const figures = `prepared in ${prepared.toFixed(0)} ms, then the first result in ${first.toFixed(0)} ms`;
    assert(first < Math.max(0.3 * prepared, 100), figures);
    return figures;
  });

  const run = async (name, argument) => {
    await test(name, async () => {
      const fault = await page.evaluate(inPage, argument);
      assert(!fault, fault);
    });
  };
  for (const of of golden()) {
    const description = {
      ...{ shape: of.input_shape, kernel: of.kernel, stride: of.stride, padding: of.padding, dilation: of.dilation },
      ...{ ceil_mode: of.ceil_mode, beta: of.beta, non_finite: !of.finite },
    };
    const x = written(of.x);
    const gradOutput = of.grad_output && [...of.grad_output];
    const derivatives = DERIVATIVES.includes(of.name);
    const tangent = normals(of.x.length, of.name);
    for (const detached of [false, true]) {
      const gradInput = detached ? of.grad_input_detached : of.grad_input;
      // A case without gradients is looked at forward, once; the detached rule where the kernels are not those of others.
      if (detached && !(gradInput && derivatives)) continue;
      const name = detached ? `${of.name}, detached` : of.name;
      await run(`golden ${name}`, {
        description: { name, ...description, detached, derivatives, non_finite: !of.finite || !gradInput },
        ...{ x, gradOutput, tangent },
        expected: { y: written(of.y), lse: written(of.lse), gradInput: written(gradInput) },
      });
    }
    if (!STORED.includes(of.name)) continue;
    for (const element_type of ["float32", "float16", "bfloat16"]) {
      for (const channels_last of [false, true]) {
        if (element_type === "float32" && !channels_last) continue;
        const name = `${of.name}, ${element_type}${channels_last ? ", channels last" : ""}`;
        await run(name, {
          description: { name, ...description, element_type, channels_last, derivatives: of.name === "d2_k2s2_odd" },
          ...{ x, gradOutput, tangent },
        });
      }
    }
  }

  await test("the browser's compiler has nothing to say of any text", async () => {
    const { count, said } = await page.evaluate(async () => {
      const texts = window.checks.texts();
      const adapter = await navigator.gpu.requestAdapter();
      const device = await adapter.requestDevice();
      const said = [];
      for (let index = 0; index < texts.length; index += 2) {
        const [code, label] = texts.slice(index, index + 2);
        const { messages } = await device.createShaderModule({ label, code }).getCompilationInfo();
        said.push(...messages.map(({ type, message, lineNum }) => `${label}:${lineNum}: ${type}: ${message}`));
      }
      device.destroy();
      return { count: texts.length / 2, said };
    });
    assert(said.length === 0, `${said.length} remarks, the first: ${said[0]}`);
    assert(count > 500, `${count} texts`);
    return `${count} texts`;
  });

  await test("a lost device is told as one, and panics nowhere", async () => {
    const said = await page.evaluate(async () => {
      window.browser.destroy();
      const first = await window.browser.failure();
      return [first, await window.browser.failure(), window.checks.panic_text()];
    });
    assert(said[0].startsWith("DeviceLost") && said[1].startsWith("DeviceLost") && !said[2], said.join("; "));
    return said[0];
  });
}

/** A loss that no one asked for: the browser's GPU process ends. */
export async function crash(browser, page) {
  await open(page);
  await test("a GPU process that ends is a lost device, and another is to be had", async () => {
    const session = await browser.newBrowserCDPSession();
    const lost = page.evaluate(() => window.browser.failure());
    assert((await lost) === "nothing", await lost);
    await session.send("Browser.crashGpuProcess").catch(() => {});
    await page.waitForTimeout(1000);
    const said = await page.evaluate(async () => [await window.browser.failure(), window.checks.panic_text()]);
    assert(said[0].startsWith("DeviceLost") && !said[1], said.join("; "));
    const after = await page.evaluate(async () => {
      for (let tries = 0; ; tries++) {
        try {
          window.browser = await window.checks.Browser.open();
          return await window.browser.failure();
        } catch (error) {
          if (tries > 20) throw error;
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }
    });
    assert(after === "nothing", after);
    return said[0];
  });
}
