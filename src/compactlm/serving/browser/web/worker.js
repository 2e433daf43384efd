"use strict";
// The messages of the worker. A newer request of the same channel makes an older one stale.

let engine = null;
const newest = new Map();

self.onmessage = async ({ data }) => {
  const { id, channel, action, request } = data;
  newest.set(channel, id);
  const stale = () => newest.get(channel) !== id;
  try {
    if (action === "load") engine = new Engine(request.header, request.bytes);
    const done = action === "load" ? engine.check() : await engine[action](request, stale, (share) => self.postMessage({ id, share }));
    self.postMessage({ id, done });
  } catch (error) {
    self.postMessage({ id, failed: error.message });
  }
};
