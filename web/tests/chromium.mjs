// Headless Chromium with WebGPU on its software adapter, SwiftShader, so that the tests run where there is no GPU.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
  // Canvases, too, are drawn by it: without these the GPU process ends at the first frame of one.
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
];

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];

export async function launch(more = []) {
  const errors = [];
  for (const executablePath of PLACES.filter(Boolean)) {
    try {
      return await chromium.launch({ executablePath, args: [...FLAGS, ...more] });
    } catch (error) {
      errors.push(`${executablePath}: ${error.message.split("\n")[0]}`);
    }
  }
  throw new Error(`no Chromium: run web/setup test, or set CHROMIUM to one\n${errors.join("\n")}`);
}
