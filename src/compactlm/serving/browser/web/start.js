"use strict";
// Loads the models into the worker, checks them, and starts the panels.

/**
 * Start the page.
 *
 * @param {Client} client - the worker.
 * @param {object} request - what the worker needs to open the models; `header` describes them.
 * @param {Transferable[]} transfer - parts of the request that are moved and not copied.
 */
async function start(client, request, transfer = []) {
  const begun = performance.now();
  const progress = (share) => say(element("state"), `The model is loading: ${Math.round(100 * share)} %.`);
  const { largest } = await client.ask("load", "load", request, { progress, transfer });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const { models } = request.header;
  const started = [startClassify(client, models), startTags(client, models), startQuestions(client, models)];
  for (const { kind, name } of models) {
    if (kind === "embedding") started.push(startSearch(client, name), startCompare(client, name));
    if (kind === "mlm") started.push(startFill(client, name));
  }
  await Promise.all(started);
  startSpeed(client, models);
  showSections();
  const difference = largest.toFixed(6);
  say(element("state"), `The model is ready. It was loaded and checked in ${seconds} s; the largest difference to ONNX Runtime is ${difference}.`);
  globalThis.compactlm = client; // for the console: await compactlm.ask("console", "values", { name: "sentiment", text: "A text." })
  document.documentElement.dataset.ready = "true";
}

function showSections() {
  const shown = [...document.querySelectorAll("main > section:not([hidden])")];
  element("sections").replaceChildren(
    ...shown.map((section) => {
      const link = make("a", section.querySelector("h2").textContent);
      link.href = `#${section.id}`;
      const item = make("li");
      item.append(link);
      return item;
    }),
  );
}

/** Say why the page does not work, and what can be done. */
function fail(error, advice) {
  const reason = error.message.replace(/[.\s]+$/, "");
  element("state").classList.add("failed");
  say(element("state"), `The page does not work in this browser. ${reason}. ${advice}`);
  document.documentElement.dataset.ready = "false";
}
