"use strict";
// Loads the models into the worker, checks them, and starts the panels.

async function start() {
  const header = JSON.parse(element("header").textContent);
  const bytes = decode(element("weights").textContent);
  element("weights").remove();
  const begun = performance.now();
  const client = new Client(element("worker").textContent);
  const { largest } = await client.ask("load", "load", { header, bytes }, { transfer: [bytes] });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const { models } = header;
  const started = [startClassify(client, models)];
  for (const { kind, name } of models) {
    if (kind === "embedding") started.push(startSearch(client, name), startCompare(client, name));
    if (kind === "mlm") started.push(startFill(client, name));
  }
  await Promise.all(started);
  startSpeed(client, models);
  showSections();
  const difference = largest.toFixed(6);
  say(element("state"), `The model is ready. It was loaded and checked in ${seconds} s; the largest difference to ONNX Runtime is ${difference}.`);
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

start().catch((error) => {
  const reason = error.message.replace(/[.\s]+$/, "");
  element("state").classList.add("failed");
  say(element("state"), `The page does not work in this browser. ${reason}. Use another browser, or make the page again.`);
  document.documentElement.dataset.ready = "false";
});
