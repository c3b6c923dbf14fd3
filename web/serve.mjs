// Serves a folder on this machine alone: node web/serve.mjs FOLDER [PORT]
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/** Serves folders, each by the path that it has in `folders`; resolves to the server. */
export function serve(folders, port = 0) {
  const server = http.createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const mount = Object.keys(folders).find((mount) => asked.startsWith(mount));
    const root = mount && path.resolve(folders[mount]);
    const file = root && path.join(root, asked.slice(mount.length) || "index.html");
    if (!file?.startsWith(root) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (process.argv[1] === import.meta.filename) {
  const [folder, port = "8080"] = process.argv.slice(2);
  const server = await serve({ "/": folder }, Number(port));
  console.log(`http://localhost:${server.address().port}/`);
}
