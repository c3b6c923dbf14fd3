// The page: its pictures, sliders and pointer. All that is on the graphics processor is in softpool.js (web/src/studio.rs).
//
// Changes are gathered: a frame takes what is newest, prepares what is not compiled yet, pools and draws. Nothing here waits for
// the graphics processor but by promises.

import init, { Studio } from "./softpool.js";

const element = (id) => document.getElementById(id);
const canvases = [...document.querySelectorAll("canvas")];
const [file, camera, sample] = ["file", "camera", "sample"].map(element);
const [kernel, stride, beta, zoom, pair] = ["kernel", "stride", "beta", "zoom", "pair"].map(element);

/** The difference is drawn so many times as bright as it is. */
const GAIN = 4;
/** Pixels of the screen between a picture and its magnified part. */
const GAP = 8;
/** The magnified part's height, by its width. */
const PART = 0.6;

const state = {
  /** What is shown: a bitmap, or the camera's video. */
  picture: undefined,
  video: undefined,
  size: [0, 0],
  /** Where the magnified part is, of 0 to 1. */
  at: [0.5, 0.5],
  /** What is asked for, and what is compiled. */
  windows: [4, 4],
  compiled: undefined,
  changed: { picture: false, pooling: false, drawing: false },
};
let studio;
let scheduled = false;
let working = false;
let lastTimed = 0;

/** Sharpness on the slider: 0 is 0, the middle is 8, the end 200, in steps that feel alike. */
function sharpness() {
  const t = Number(beta.value) / 100;
  return t === 0 ? 0 : Number((0.33 * (Math.exp(6.4 * t) - 1)).toPrecision(2));
}

function say(text) {
  element("status").textContent = text;
}

function trouble(text) {
  element("trouble").textContent = text;
  element("trouble").hidden = !text;
}

function change(...what) {
  for (const name of what) state.changed[name] = true;
  if (!scheduled) {
    scheduled = true;
    requestAnimationFrame(frame);
  }
}

/** Takes what has changed since the last frame. */
async function frame() {
  scheduled = false;
  if (!studio || working || !(state.picture || state.video)) return;
  working = true;
  const { picture, pooling, drawing } = state.changed;
  state.changed = { picture: false, pooling: false, drawing: false };
  try {
    if (picture) takePicture();
    const compiled = (picture || pooling) && (await pool());
    if (picture || pooling || drawing) draw();
    if (picture || pooling) measure(compiled);
  } catch (error) {
    say(error.message ?? String(error));
  }
  working = false;
  document.body.dataset.frames = String(Number(document.body.dataset.frames ?? 0) + 1);
  if (Object.values(state.changed).some(Boolean)) change();
}

function takePicture() {
  if (state.video) {
    if (!state.video.videoWidth) return;
    setSize(state.video.videoWidth, state.video.videoHeight);
    studio.take_video(state.video);
  } else {
    setSize(state.picture.width, state.picture.height);
    studio.take_picture(state.picture);
  }
}

function setSize(width, height) {
  if (state.size[0] === width && state.size[1] === height) return;
  state.size = [width, height];
  state.compiled = undefined;
  element("size").textContent = `${width} × ${height} pixels`;
  layOut();
}

async function pool() {
  const [size, step] = state.windows;
  if (size > Math.min(...state.size)) {
    throw new Error(`The picture is smaller than a window of ${size} by ${size}.`);
  }
  const wanted = `${size} ${step}`;
  const compiles = state.compiled !== wanted;
  if (compiles) {
    say("Compiling for these windows …");
    await studio.set_windows(size, step);
    state.compiled = wanted;
    say("");
  }
  studio.set_beta(sharpness());
  const [width, height] = studio.pool();
  element("pooled").textContent = `${width} × ${height} pixels`;
  return compiles;
}

function draw() {
  const [first, second] = pair.value.split(" ").map(Number);
  studio.draw(...state.at, Number(zoom.value), first, second, GAIN);
  const place = state.at.map((at, axis) => Math.min(Math.floor(at * state.size[axis]), state.size[axis] - 1));
  for (const canvas of canvases) {
    const what = `${canvas.dataset.name}, magnified ${zoom.value} times around column ${place[0]}, row ${place[1]}`;
    canvas.setAttribute("aria-label", `${what}. Arrow keys move the place.`);
  }
}

/** Shows what pooling took, but not for each frame of a video. The first time a driver runs a kernel is not like the others. */
async function measure(first) {
  if (!first && performance.now() - lastTimed < 500) return;
  if (first) studio.pool();
  lastTimed = performance.now();
  const took = await studio.milliseconds().catch(() => undefined);
  if (took === undefined) return;
  const digits = took < 10 ? 1 : 0;
  const shown = took < 0.1 ? "less than 0.1" : took.toFixed(digits);
  element("time").textContent = `${studio.has_clock() ? "" : "about "}${shown} ms`;
}

/** Gives the canvases the pixels that they take on the screen. */
function layOut() {
  const [width, height] = state.size;
  if (!studio || !width) return;
  canvases.forEach((canvas, index) => {
    const shown = canvas.clientWidth;
    const scale = Math.min(devicePixelRatio, 2);
    const pixels = [shown, (shown * height) / width, GAP, shown * PART].map((size) => Math.max(1, Math.round(size * scale)));
    canvas.style.height = `${(pixels[1] + pixels[2] + pixels[3]) / scale}px`;
    [canvas.width, canvas.height] = [pixels[0], pixels[1] + pixels[2] + pixels[3]];
    studio.resize(index, ...pixels);
  });
  change("drawing");
}

/** Shows a picture: of a file, or of an address. */
async function show(blob) {
  stopCamera();
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    say("That is no picture that this browser can read.");
    return;
  }
  // What the graphics processor can't hold is made smaller first.
  const scale = Math.min(
    1,
    studio ? Math.sqrt(studio.max_pixels() / (bitmap.width * bitmap.height)) : 1,
    studio ? studio.max_side() / Math.max(bitmap.width, bitmap.height) : 1,
  );
  if (scale < 1) {
    const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((size) => Math.floor(size * scale));
    bitmap = await createImageBitmap(blob, { resizeWidth, resizeHeight, resizeQuality: "high" });
    say("The picture was made smaller: it is more than this graphics processor takes at once.");
  }
  state.picture?.close();
  state.picture = bitmap;
  change("picture");
}

async function startCamera() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    const video = document.createElement("video");
    [video.srcObject, video.muted, video.playsInline] = [stream, true, true];
    await video.play();
    state.video = video;
    camera.setAttribute("aria-pressed", "true");
    camera.textContent = "Stop the camera";
    const each = () => {
      if (state.video !== video) return;
      change("picture");
      video.requestVideoFrameCallback(each);
    };
    each();
  } catch (error) {
    say(`No camera: ${error.message}`);
  }
}

function stopCamera() {
  if (!state.video) return;
  state.video.srcObject.getTracks().forEach((track) => track.stop());
  state.video = undefined;
  camera.setAttribute("aria-pressed", "false");
  camera.textContent = "Use the camera";
  if (state.picture) change("picture");
}

async function showSample() {
  await show(await (await fetch("sample.png")).blob());
}

function showValues() {
  const [size, step] = [kernel, stride].map((slider) => Number(slider.value));
  state.windows = [size, step];
  element("kernel-value").textContent = `${size} × ${size}`;
  element("stride-value").textContent = String(step);
  element("beta-value").textContent = String(sharpness());
  element("zoom-value").textContent = `${zoom.value} ×`;
}

function moveTo(x, y) {
  const inside = (at) => Math.min(1, Math.max(0, at));
  state.at = [inside(x), inside(y)];
  change("drawing");
}

function listen() {
  for (const slider of [kernel, stride, beta]) {
    slider.addEventListener("input", () => {
      showValues();
      change("pooling");
    });
  }
  zoom.addEventListener("input", () => {
    showValues();
    change("drawing");
  });
  pair.addEventListener("change", () => change("drawing"));
  file.addEventListener("change", () => file.files[0] && show(file.files[0]));
  sample.addEventListener("click", showSample);
  camera.addEventListener("click", () => (state.video ? stopCamera() : startCamera()));
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const canvas of canvases) {
    const follow = ({ offsetX, offsetY }) => {
      const height = (canvas.clientWidth * state.size[1]) / state.size[0];
      // Below the picture is its magnified part, which stays.
      if (offsetY < height) moveTo(offsetX / canvas.clientWidth, offsetY / height);
    };
    canvas.addEventListener("pointermove", follow);
    canvas.addEventListener("pointerdown", follow);
    canvas.addEventListener("keydown", (event) => {
      const step = (event.shiftKey ? 0.1 : 0.02) / Math.max(1, Number(zoom.value) / 6);
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      moveTo(state.at[0] + move[0], state.at[1] + move[1]);
    });
  }
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [dropped] = event.dataTransfer.files;
    if (dropped) show(dropped);
  });
  addEventListener("paste", (event) => {
    const [pasted] = event.clipboardData.files;
    if (pasted) show(pasted);
  });
  new ResizeObserver(layOut).observe(element("pictures"));
}

/** A device, and again another whenever it is lost. */
async function open() {
  studio = undefined;
  const opened = await Studio.open(canvases);
  element("adapter").textContent = opened.adapter();
  state.size = [0, 0];
  state.compiled = undefined;
  studio = opened;
  working = false;
  opened.lost()?.then((info) => {
    if (studio !== opened) return;
    studio = undefined;
    const losses = Number(document.body.dataset.losses ?? 0) + 1;
    document.body.dataset.losses = String(losses);
    say("The graphics processor stopped and is started again …");
    // A driver that fails at once, again and again, is left alone.
    const wait = Math.min(250 * 2 ** (losses - 1), 8000);
    setTimeout(() => open().then(() => say(""), (error) => trouble(`${info.message}: ${error.message}`)), wait);
  });
  change("picture");
}

const ADVICE =
  "This page needs WebGPU, which this browser doesn’t offer. Chrome and Edge have it on Windows, macOS, Android and ChromeOS, " +
  "Safari since version 26, and Firefox on Windows and macOS. On Linux start Chrome with --enable-unsafe-webgpu " +
  "--enable-features=Vulkan.";

async function start() {
  showValues();
  if (!navigator.gpu || !(await navigator.gpu.requestAdapter())) {
    trouble(ADVICE);
    element("studio").hidden = true;
    return;
  }
  listen();
  await init();
  await open();
  await showSample();
}

start().catch((error) => trouble(`This page could not start: ${error.message ?? error}`));

// For web/test: what it can't do by clicking.
window.softpool = {
  get studio() {
    return studio;
  },
  /** Whether nothing is left to show. */
  get idle() {
    return Boolean(studio) && !working && !scheduled && !Object.values(state.changed).some(Boolean);
  },
};
