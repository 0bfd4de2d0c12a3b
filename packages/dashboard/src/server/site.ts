import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

export interface SiteFile {
  readonly type: string;
  readonly body: string;
  readonly etag: string;
}

const folder = fileURLToPath(new URL("../page/", import.meta.url));
/** In the sources the page is TypeScript, in the published package JavaScript. */
const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Everything that the page consists of, by path. Held in memory: it is small, and no request reaches a file. */
export async function readSite(): Promise<ReadonlyMap<string, SiteFile>> {
  const site = new Map<string, SiteFile>();
  const add = (path: string, type: string, body: string): void => {
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    site.set(path, { type: `${type}; charset=utf-8`, body, etag });
  };
  for (const [name, text] of await readScripts()) add(`/page/${name}`, "text/javascript", text);
  add("/page/style.css", "text/css", await readFile(join(folder, "style.css"), "utf8"));
  add("/page/icon.svg", "image/svg+xml", icon);
  add("/", "text/html", document);
  return site;
}

async function readScripts(): Promise<readonly (readonly [name: string, text: string])[]> {
  const all = await readdir(folder, { recursive: true });
  const names = all
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(extension) && !name.endsWith(".d.ts") && !name.includes(".test."));
  const paths = names.map((name) => join(folder, name));
  const texts =
    extension === ".ts" ? await stripped(paths) : await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return names.map((name, at) => [name, texts[at] ?? ""] as const);
}

/** In a thread of its own, which keeps to itself that the function is called experimental. */
async function stripped(paths: readonly string[]): Promise<readonly string[]> {
  const worker = new Worker(new URL("./script-worker.ts", import.meta.url), {
    workerData: paths,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const [texts] = (await once(worker, "message")) as [readonly string[]];
  await worker.terminate();
  return texts;
}

const document = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Quadrant</title>
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/style.css">
<script type="module" src="/page/main${extension}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="#/"><img src="/page/icon.svg" alt="" width="28" height="28">Quadrant</a>
<nav aria-label="Pages" id="pages"></nav>
<p class="link" id="link" role="status"></p>
</header>
<main id="content" tabindex="-1"><noscript>This page needs JavaScript.</noscript></main>
<div id="news" class="unseen" aria-live="polite"></div>
</body>
</html>
`;

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f5d62"/><rect x="7" y="7" width="8" height="8" rx="2" fill="#fff"/><circle cx="21" cy="11" r="4" fill="#f2c14e"/><circle cx="11" cy="21" r="4" fill="#f2c14e"/><rect x="17" y="17" width="8" height="8" rx="2" fill="#fff"/></svg>`;
