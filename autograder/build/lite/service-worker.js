// Keeps the site's files in the browser, so that a second visit needs no network, and passes on what Python asks of its
// files: the kernel waits for an answer that only the page can give. In the place of JupyterLite's own service worker
// (same channel, same messages), which keeps nothing of the first visit and takes one kernel's answer for another's.
"use strict";
// The files of version @VERSION@; where Pyodide comes from if that is another host
const PYODIDE = "@PYODIDE@";
const CACHE = `dlcourse ${self.registration.scope}`;
const MANIFEST = new URL("manifest.json", self.registration.scope).href;
const channel = new BroadcastChannel("/sw-api.v1");
const turns = new Map();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(forgetChanged().then(() => self.clients.claim())));
self.addEventListener("message", (event) => {
  if (event.data === "keep the rest") event.waitUntil(keepTheRest());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.pathname === "/api/service-worker-heartbeat") {
    event.respondWith(new Response("ok"));
  } else if (url.origin === self.location.origin && /\/api\/(drive|stdin\/)/.test(url.pathname)) {
    event.respondWith(inTurn(request, url.pathname));
  } else if (request.method === "GET" && [self.registration.scope, PYODIDE].some((one) => one && request.url.startsWith(one))) {
    event.respondWith(kept(request));
  }
});

/** One question of a tab after the other: an answer names the tab that it comes from, not its question. */
async function inTurn(request, pathname) {
  const question = await request.json();
  // Only a person ends an input(); files go on meanwhile
  if (pathname.includes("/api/stdin/")) return ask(question, pathname);
  const before = turns.get(question.browsingContextId) ?? Promise.resolve();
  const answer = before.then(() => ask(question, pathname));
  turns.set(question.browsingContextId, answer);
  return answer;
}

function ask(question, pathname) {
  return new Promise((resolve) => {
    const listen = ({ data }) => {
      if (data.browsingContextId !== question.browsingContextId || !("response" in data)) return;
      channel.removeEventListener("message", listen);
      resolve(Response.json(data.response));
    };
    channel.addEventListener("message", listen);
    channel.postMessage({ ...question, pathname });
  });
}

/** A page is the same file whatever its address asks for. */
function key(request) {
  return request.mode === "navigate" ? request.url.replace(/[?#].*$/, "") : request.url;
}

async function kept(request) {
  const cache = await caches.open(CACHE).catch(() => null);
  const found = await cache?.match(key(request));
  if (found) return found;
  const response = await fetch(request);
  // A browser without room for it works with the network
  if (response.ok) cache?.put(key(request), response.clone()).catch(() => {});
  return response;
}

async function manifest(options) {
  const answer = await fetch(MANIFEST, options);
  return answer.ok ? answer : null;
}

/** What a new version of the site has changed or no longer has is forgotten, the rest need not be loaded again. */
async function forgetChanged() {
  const cache = await caches.open(CACHE);
  const fresh = await manifest({ cache: "no-store" }).catch(() => null);
  if (fresh === null) return;
  const before = await (await cache.match(MANIFEST))?.json();
  const now = await fresh.clone().json();
  for (const request of await cache.keys()) {
    const path = request.url.split("?")[0].replace(self.registration.scope, "").replace(/(^|\/)$/, "$1index.html");
    const own = request.url.startsWith(self.registration.scope);
    const same = own ? before?.files[path] === now.files[path] : PYODIDE && request.url.startsWith(PYODIDE);
    if (!same) await cache.delete(request);
  }
  await cache.put(MANIFEST, fresh);
}

/** The lessons and assignments that were not opened yet; the program itself is kept as it is used. */
async function keepTheRest() {
  const cache = await caches.open(CACHE);
  const list = await (await cache.match(MANIFEST))?.json();
  for (const path of list?.contents ?? []) {
    const url = new URL(path, self.registration.scope).href;
    if (!(await cache.match(url))) await cache.add(url).catch(() => {});
  }
}
