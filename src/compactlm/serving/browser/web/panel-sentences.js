"use strict";
// The panels of the sentence embedding: search in lines, and comparison of two sentences.

const MOST_LINES = 20000;
const SHOWN = 10;

function startSearch(client, name) {
  element("search").hidden = false;
  const [query, lines, file] = ["search-query", "search-lines", "search-file"].map(element);
  const state = element("search-answer");
  const update = async () => {
    const all = lines.value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
    const unique = [...new Set(all)].slice(0, MOST_LINES);
    if (!query.value.trim() || !unique.length) {
      say(state, "");
      return element("search-found").replaceChildren();
    }
    const start = performance.now();
    const progress = (share) => say(state, `${percent(share)} of the lines are read.`);
    const answer = await client.ask("search", "search", { name, query: query.value, lines: unique, count: SHOWN }, { progress });
    if (!answer) return null;
    element("search-found").replaceChildren(
      ...answer.found.map(({ line, similarity }) => {
        const row = make("li");
        row.append(make("b", similarity.toFixed(2)), make("span", line));
        return row;
      }),
    );
    const left = all.length > MOST_LINES ? ` Only the first ${MOST_LINES.toLocaleString("en")} lines count.` : "";
    const end = answer.cut ? ` ${TOO_LONG}` : "";
    say(state, `The nearest of ${unique.length.toLocaleString("en")} lines, in ${(performance.now() - start).toFixed(0)} ms.${left}${end}`);
    return null;
  };
  const read = async (chosen) => {
    if (!chosen) return;
    lines.value = await chosen.text();
    lines.dispatchEvent(new Event("input"));
  };
  file.addEventListener("change", () => read(file.files[0]));
  lines.addEventListener("dragover", (event) => {
    event.preventDefault();
    lines.classList.add("over");
  });
  lines.addEventListener("dragleave", () => lines.classList.remove("over"));
  lines.addEventListener("drop", (event) => {
    lines.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  });
  return follow([query, lines], update);
}

function startCompare(client, name) {
  element("compare").hidden = false;
  const [first, second] = ["compare-first", "compare-second"].map(element);
  return follow([first, second], async () => {
    const request = { name, first: first.value, second: second.value };
    if (!request.first.trim() || !request.second.trim()) return showSimilarity("", 0, false);
    const { similarity, cut } = await client.ask("compare", "compare", request);
    return showSimilarity(`Similarity ${similarity.toFixed(3)}`, similarity, cut);
  });
}

function showSimilarity(text, similarity, cut) {
  say(element("compare-answer"), text);
  element("compare-bar").style.width = `${100 * Math.max(similarity, 0)}%`;
  showNote(element("compare-note"), cut ? TOO_LONG : "");
}
