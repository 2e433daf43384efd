"use strict";
// Keeps the files of the page in the browser. A changed folder has another version and is loaded anew as a whole.

const VERSION = {{version}};
const FILES = {{files}};
const OWN = `compactlm ${self.registration.scope} `;
const NAME = OWN + VERSION;

self.addEventListener("install", (event) => {
  // "no-cache" asks the server whether a file has changed, so that files of two versions are never mixed.
  const requests = FILES.map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(OWN) && name !== NAME).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const start = new URL("./", self.registration.scope);
  const opens = event.request.mode === "navigate" && [start.pathname, `${start.pathname}index.html`].includes(pathname);
  const answer = async () => {
    const cache = await caches.open(NAME);
    return (await cache.match(opens ? start.href : event.request, { ignoreSearch: true })) ?? fetch(event.request);
  };
  if (event.request.method === "GET") event.respondWith(answer());
});
