import { type Context, Hono } from "hono";
import type { Access } from "./access.ts";
import type { SiteFile } from "./site.ts";

/** Only what this server sends itself, no inline script or style, nothing from elsewhere, in nobody's frame. */
function policyFor(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

const strict: readonly (readonly [name: string, value: string])[] = [
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Frame-Options", "DENY"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Permissions-Policy", "camera=(), geolocation=(), microphone=()"],
];

const closedDoor = "This page is for whoever has its address: open the one that was printed when it was started.\n";

/** The page's files, for those whom `access` lets in. A first visit, by the address with the token, is led to one without. */
export function routes(site: ReadonlyMap<string, SiteFile>, access: Access): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const host = context.req.header("host");
    for (const [name, value] of strict) context.header(name, value);
    if (!access.knowsHost(host)) return context.text("This server has another name.\n", 421);
    context.header("Content-Security-Policy", policyFor(host ?? ""));
    const { method } = context.req;
    if (method === "GET" || method === "HEAD") return next();
    context.header("Allow", "GET, HEAD");
    return context.text("Only GET and HEAD.\n", 405);
  });
  app.get("/", (context, next) => {
    const token = context.req.query("token");
    if (token === undefined) return next();
    context.header("Cache-Control", "no-store");
    if (!access.isToken(token)) return context.text(closedDoor, 401);
    context.header("Set-Cookie", access.cookie);
    return context.redirect("/", 303);
  });
  app.get("*", (context) => {
    context.header("Cache-Control", "no-store");
    if (!access.isLetIn(context.req.header("cookie"))) return context.text(closedDoor, 401);
    const file = site.get(context.req.path);
    return file === undefined ? context.text("There is nothing here.\n", 404) : send(context, file);
  });
  return app;
}

function send(context: Context, { type, body, etag }: SiteFile): Response {
  context.header("Cache-Control", "private, no-cache");
  context.header("ETag", etag);
  if (context.req.header("if-none-match") === etag) return context.body(null, 304);
  context.header("Content-Type", type);
  return context.body(body);
}
