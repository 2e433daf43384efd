"use strict";
// The messages of the worker. A newer request of the same channel makes an older one stale.

let engine = null;
const newest = new Map();

self.onmessage = async ({ data }) => {
  const { id, channel, action, request } = data;
  newest.set(channel, id);
  const stale = () => newest.get(channel) !== id;
  try {
    const progress = (share) => self.postMessage({ id, share });
    if (action === "load") engine = new Engine(request.header, await openModels(request, progress));
    const done = action === "load" ? await engine.check() : await engine[action](request, stale, progress);
    self.postMessage({ id, done });
  } catch (error) {
    self.postMessage({ id, failed: error.message });
  }
};
