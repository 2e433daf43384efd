"use strict";
// Starts a page that is one file: models and worker are inside.

/** Return the bytes that base64 text stands for. */
function decode(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < characters.length; i += 1) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}

async function begin() {
  say(element("state"), "The model is loading.");
  const header = JSON.parse(element("header").textContent);
  const bytes = decode(element("weights").textContent);
  element("weights").remove();
  await start(new Client(element("worker").textContent), { header, bytes }, [bytes]);
}

begin().catch((error) => fail(error, "Use another browser, or make the page again."));
