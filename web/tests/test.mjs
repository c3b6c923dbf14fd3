// node web/tests/test.mjs [PART...]: everything, or some of hosts, parity, page and crash; run by web/test, which builds first.
import { launch } from "./chromium.mjs";
import { hosts } from "./hosts.mjs";
import { pageTests } from "./page.mjs";
import { crash, parity } from "./parity.mjs";
import { finish } from "./report.mjs";
import { serve } from "../serve.mjs";

const PARTS = ["hosts", "parity", "page", "crash"];
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  console.error(`no part '${unknown}': give some of ${PARTS.join(", ")}`);
  process.exit(2);
}
const has = (part) => asked.length === 0 || asked.includes(part);

const built = process.env.CARGO_TARGET_DIR ?? "target";
const recipes = `${built}/web/recipes`;
const server = await serve({
  "/checks/": `${built}/web/checks`,
  "/hosts/": "hosts",
  "/recipes/": recipes,
  "/tests/": "web/tests",
  "/": `${built}/web/page`,
});
const url = `http://localhost:${server.address().port}/`;
// A camera of Chromium's own, which films a test picture.
const browser = await launch(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
try {
  console.log(`Chromium ${browser.version()}`);
  const empty = async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${url}tests/empty.html`);
    return page;
  };
  if (has("hosts")) await hosts(await empty(), `${built}/debug/softpool`, recipes);
  if (has("parity")) await parity(await empty());
  if (has("page")) await pageTests(browser, url, `${built}/web/screenshots`);
  if (has("crash")) await crash(browser, await empty());
} finally {
  await browser.close();
  server.close();
}
process.exit(finish());
