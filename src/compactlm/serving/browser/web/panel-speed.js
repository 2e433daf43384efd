"use strict";
// The panel that measures the time of an answer on this device.

const TOKENS = [16, 64];
const TIMES = 20;

function startSpeed(client, models) {
  const button = element("speed-start");
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    say(element("speed-state"), "Measuring.");
    const rows = [];
    for (const { name } of models) {
      for (const tokens of TOKENS) {
        await client.ask("speed", "measure", { name, tokens, times: 3 });
        const { taken } = await client.ask("speed", "measure", { name, tokens, times: TIMES });
        const median = [...taken].sort((a, b) => a - b)[TIMES / 2];
        const row = make("tr");
        row.append(...[name, tokens, median.toFixed(1), (1000 / median).toFixed(0)].map((value) => make("td", String(value))));
        rows.push(row);
      }
    }
    element("speed-region").hidden = false;
    document.querySelector("#speed-table tbody").replaceChildren(...rows);
    say(element("speed-state"), "Measured.");
    button.disabled = false;
  });
}
