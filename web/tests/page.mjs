// The page as a person has it: pictures in, the right colours out, by mouse and by keys, on a phone, in the dark, and after a loss.
import fs from "node:fs";
import { assert, test } from "./report.mjs";

/** Levels of the test picture: in red, columns of these by turns; in green the same everywhere; in blue, none or all by half. */
const [DARK, BRIGHT, GREEN] = [51, 204, 128];
/** A frame of video's size: 1280 by 720. */
const SIZE = [1280, 720];
/** Levels by which a screenshot may be off: those of 8 bits, and of what the browser makes of them. */
const TOLERANCE = 2;

/** The test picture, as a file. */
async function testPicture(page) {
  const url = await page.evaluate(
    ([[width, height], dark, bright, green]) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [width, height];
      const context = canvas.getContext("2d");
      const pixels = context.createImageData(width, height);
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          pixels.data.set([column % 2 ? bright : dark, green, row < height / 2 ? 0 : 255, 255], 4 * (row * width + column));
        }
      }
      context.putImageData(pixels, 0, 0);
      return canvas.toDataURL("image/png");
    },
    [SIZE, DARK, BRIGHT, GREEN],
  );
  return { name: "test.png", mimeType: "image/png", buffer: Buffer.from(url.split(",")[1], "base64") };
}

/** What red must be: soft by beta, max and average of equally many dark and bright pixels. */
function expectedRed(beta) {
  const [dark, bright] = [DARK / 255, BRIGHT / 255];
  const weight = Math.exp(beta * (dark - bright));
  return [(255 * (dark * weight + bright)) / (weight + 1), BRIGHT, (DARK + BRIGHT) / 2];
}

/** The colours of a screenshot of a canvas, at places of 0 to 1 in its picture and in its magnified part. */
async function colours(page, index) {
  const canvas = page.locator("canvas").nth(index);
  const png = await canvas.screenshot();
  return page.evaluate(
    async ([png, [width, height]]) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
      const surface = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
      surface.drawImage(bitmap, 0, 0);
      const picture = (bitmap.width * height) / width;
      const part = bitmap.height - picture;
      const at = (x, y) => [...surface.getImageData(Math.round(x * bitmap.width), Math.round(y), 1, 1).data].slice(0, 3);
      return {
        upper: [at(0.1, 0.1 * picture), at(0.8, 0.2 * picture), at(0.15, 0.35 * picture)],
        lower: [at(0.1, 0.95 * picture), at(0.8, 0.7 * picture)],
        part: [at(0.1, picture + 0.3 * part), at(0.9, picture + 0.9 * part)],
      };
    },
    [png.toString("base64"), SIZE],
  );
}

const near = (got, want) => got.every((level, index) => Math.abs(level - want[index]) <= TOLERANCE);

/** Waits until the page has drawn what it was last asked for. */
async function settled(page) {
  await page.waitForFunction(() => window.softpool.idle, null, { timeout: 120_000 });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

async function slide(page, id, value) {
  await page.locator(`#${id}`).fill(String(value));
  await settled(page);
}

async function checkColours(page) {
  const beta = Number(await page.locator("#beta-value").textContent());
  const reds = expectedRed(beta);
  for (const [index, red] of reds.entries()) {
    const { upper, lower, part } = await colours(page, index);
    for (const colour of upper) {
      assert(near(colour, [red, GREEN, 0]), `canvas ${index}, above: ${colour}, not ${[red, GREEN, 0]}`);
    }
    for (const colour of lower) {
      assert(near(colour, [red, GREEN, 255]), `canvas ${index}, below: ${colour}, not ${[red, GREEN, 255]}`);
    }
    // The magnified part is around the upper third.
    for (const colour of part) assert(near(colour, [red, GREEN, 0]), `canvas ${index}, magnified: ${colour}`);
  }
  const difference = (await colours(page, 4)).upper[0];
  const want = [Math.min(255, 4 * Math.abs(reds[0] - reds[2])), 0, 0];
  assert(near([difference[0] / 4, difference[1], difference[2]], [want[0] / 4, 0, 0]), `difference ${difference}, not ${want}`);
  return `soft ${reds[0].toFixed(1)}, max ${reds[1]}, average ${reds[2]}`;
}

export async function pageTests(browser, url, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  const said = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  // Bytes that come back from the device, and how long the page can't answer.
  await page.addInitScript(() => {
    window.mapped = 0;
    window.longest = 0;
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = function (mode, ...range) {
      if (mode === GPUMapMode.READ) window.mapped += this.size;
      return map.call(this, mode, ...range);
    };
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: "longtask", buffered: true });
  });
  await page.goto(url);

  await test("the page shows the sample", async () => {
    await page.waitForFunction(() => document.getElementById("time").textContent.includes("ms"), null, { timeout: 120_000 });
    await settled(page);
    await page.screenshot({ path: `${folder}/sample.png`, fullPage: true });
    const facts = await page.locator("#facts dl").innerText();
    assert(/swiftshader/i.test(facts) && facts.includes("600 × 400") && facts.includes("150 × 100"), facts);
    return facts.replaceAll("\n", " ");
  });

  await test("a frame of 1280 by 720 is pooled, in the right colours, and stays on the device", async () => {
    await page.locator("#file").setInputFiles(await testPicture(page));
    await page.waitForFunction(() => document.getElementById("size").textContent.includes("1280"));
    await settled(page);
    const box = await page.locator("canvas").first().boundingBox();
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.1 * box.width);
    await settled(page);
    const mapped = await page.evaluate(() => window.mapped);
    const remark = await checkColours(page);
    await page.screenshot({ path: `${folder}/stripes.png`, fullPage: true });
    // Timestamps are 16 bytes each time.
    assert(mapped <= 16 * 20, `${mapped} bytes came back`);
    return `${remark}; ${mapped} bytes came back, of timestamps`;
  });

  await test("sliders change windows and sharpness", async () => {
    await slide(page, "kernel", 6);
    await slide(page, "stride", 2);
    assert((await page.locator("#pooled").textContent()).includes("638 × 358"), await page.locator("#pooled").textContent());
    await checkColours(page);
    await slide(page, "beta", 0);
    await checkColours(page);
    await slide(page, "beta", 30);
    return checkColours(page);
  });

  await test("keys move the magnified part, and the name says where it is", async () => {
    const canvas = page.locator("canvas").first();
    await canvas.focus();
    const before = await canvas.getAttribute("aria-label");
    await page.keyboard.press("ArrowRight");
    await settled(page);
    const after = await canvas.getAttribute("aria-label");
    assert(before !== after && /column \d+, row \d+/.test(after), `${before}; ${after}`);
    return after;
  });

  await test("everything that can be used has a name, and can be reached by Tab", async () => {
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, select, canvas, a")]
        .filter((one) => !(one.labels?.length || one.getAttribute("aria-label") || one.textContent.trim()))
        .map((one) => one.outerHTML),
    );
    assert(nameless.length === 0, nameless.join());
    await page.evaluate(() => document.activeElement.blur());
    const reached = new Set();
    for (let press = 0; press < 30; press++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.dataset?.name));
    }
    for (const id of ["file", "camera", "sample", "kernel", "stride", "beta", "Soft pooling", "pair", "zoom"]) {
      assert(reached.has(id), `Tab does not reach ${id}: ${[...reached]}`);
    }
  });

  await test("the page answers meanwhile", async () => {
    const longest = await page.evaluate(() => window.longest);
    assert(longest < 1000, `it could not for ${longest} ms`);
    return `at most ${longest.toFixed(0)} ms at a stretch`;
  });

  await test("after a loss it makes a new device and goes on", async () => {
    await page.evaluate(() => window.softpool.studio.destroy());
    await page.waitForFunction(() => document.body.dataset.losses === "1" && window.softpool.studio, null, { timeout: 60_000 });
    await settled(page);
    return checkColours(page);
  });

  await test("nothing is said in the console", async () => {
    const faults = said.filter((text) => !/external Instance reference/.test(text));
    assert(faults.length === 0, faults.join("\n"));
  });
  await page.close();

  await test("on a phone of 360 pixels, in the dark", async () => {
    const phone = await browser.newPage({
      viewport: { width: 360, height: 740 },
      colorScheme: "dark",
      deviceScaleFactor: 2,
      hasTouch: true,
    });
    await phone.goto(url);
    await phone.waitForFunction(() => document.getElementById("time").textContent.includes("ms"), null, { timeout: 120_000 });
    await settled(phone);
    await phone.screenshot({ path: `${folder}/phone.png`, fullPage: true });
    const [width, background] = await phone.evaluate(() => [
      document.documentElement.scrollWidth,
      getComputedStyle(document.body).backgroundColor,
    ]);
    assert(width <= 360, `the page is ${width} pixels wide`);
    const light = /\d+/.exec(background);
    assert(Number(light) < 60, `a background of ${background}`);
    await phone.close();
  });

  await test("the camera's frames go the same way", async () => {
    const filmed = await browser.newPage({ permissions: ["camera"] });
    await filmed.goto(url);
    await filmed.waitForFunction(() => window.softpool.studio);
    await settled(filmed);
    await filmed.locator("#camera").click();
    await filmed.waitForFunction(() => document.getElementById("size").textContent.includes("1280 × 720"), null, { timeout: 60_000 });
    const frames = () => filmed.evaluate(() => Number(document.body.dataset.frames));
    const before = await frames();
    await filmed.waitForFunction((before) => Number(document.body.dataset.frames) > before + 5, before, { timeout: 60_000 });
    await filmed.locator("#camera").click();
    await settled(filmed);
    assert((await filmed.locator("#camera").textContent()) === "Use the camera", "the button");
    await filmed.close();
  });

  await test("without WebGPU it says how to get it", async () => {
    const old = await browser.newPage();
    await old.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
    await old.goto(url);
    await old.waitForFunction(() => !document.getElementById("trouble").hidden);
    const text = await old.locator("#trouble").innerText();
    assert(text.includes("WebGPU") && text.includes("Firefox"), text);
    await old.close();
  });
}
