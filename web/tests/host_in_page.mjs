// In the page: runs a recipe by hosts/host.mjs. No wasm is there.
import { Call } from "/hosts/host.mjs";

let device;

async function open() {
  const adapter = await navigator.gpu.requestAdapter();
  device ??= await adapter.requestDevice();
  return adapter.info;
}

/** The adapter, in words. */
export async function adapter() {
  const { vendor, architecture, description } = await open();
  return [vendor, architecture, description].filter(Boolean).join(" ");
}

/** Runs the recipe at an address on bytes by tensor's name; the bytes of what it writes. */
export async function run(address, inputs) {
  await open();
  const recipe = await (await fetch(address)).json();
  const call = await Call.prepare(device, recipe);
  for (const { name, bytes } of recipe.tensors) call.write(name, Uint8Array.from(inputs[name]));
  call.run();
  const written = recipe.tensors.filter((tensor) => tensor.written);
  return Object.fromEntries(
    await Promise.all(written.map(async ({ name }) => [name, [...new Uint8Array(await call.read(name))]])),
  );
}
