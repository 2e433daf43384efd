"use strict";
// Starts a page that is a folder on a web server: header, models and worker are files next to it.

async function begin() {
  say(element("state"), "The model is loading.");
  const base = new URL(".", location.href).href;
  const answer = await fetch(`${base}header.json`);
  if (!answer.ok) throw new Error(`The file header.json cannot be loaded (status ${answer.status})`);
  const client = new Client(`import ${JSON.stringify(`${base}worker.js`)};`, "module");
  await start(client, { header: await answer.json(), base });
  await keep();
}

/** Keep the files of the page in this browser, so that it works without a network from now on. */
async function keep() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("service-worker.js");
    await navigator.serviceWorker.ready;
  } catch {
    return; // the browser keeps nothing, for instance in a private window; the page works all the same
  }
  say(element("offline"), "This browser has stored the page, so it also works offline.");
}

begin().catch((error) => fail(error, "Load it again, use another browser, or copy the whole folder to the server again."));
