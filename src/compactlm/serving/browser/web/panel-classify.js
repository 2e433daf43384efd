"use strict";
// The panel that classifies: the answer while typing, and the words that matter for it once typing pauses.

const PAUSE = 250; // milliseconds without input before the words are marked
const LEAST = 0.01; // a smaller change of the probability is not shown

function startClassify(client, models) {
  const tasks = models.filter((model) => model.kind === "task");
  if (!tasks.length) return null;
  element("classify").hidden = false;
  const choice = element("classify-task");
  choice.append(...tasks.map(({ name }) => new Option(name, name)));
  element("classify-tasks").hidden = tasks.length < 2;
  const text = element("classify-text");
  let timer = 0;
  const update = async () => {
    const request = { name: choice.value, text: text.value };
    const { labels, threshold } = tasks.find(({ name }) => name === choice.value);
    clearTimeout(timer);
    if (!request.text.trim()) return clearClassify();
    const start = performance.now();
    const answer = await client.ask("classify", "classify", request);
    const taken = performance.now() - start;
    showAnswer(labels, threshold, answer, taken);
    element("classify-words").textContent = request.text;
    element("classify-spoken").textContent = "";
    timer = setTimeout(() => mark(client, request, labels[answer.chosen]), PAUSE);
    return null;
  };
  return follow([text, choice], update);
}

function clearClassify() {
  for (const part of ["answer", "bars", "words", "spoken", "note"]) element(`classify-${part}`).textContent = "";
}

function showAnswer(labels, threshold, { probabilities, chosen, tokens, cut }, taken) {
  say(element("classify-answer"), `${labels[chosen]}, ${percent(probabilities[chosen])}`);
  element("classify-bars").replaceChildren(...labels.map((label, number) => bar(label, probabilities[number])));
  const end = cut ? " The text is longer than the model reads; its end does not count." : "";
  // Fine-tuning may have found another threshold than 50 % best.
  const from = threshold === null ? "" : ` The answer is ${labels[1]} from a probability of ${percent(threshold)} on.`;
  element("classify-note").textContent = `${tokens} tokens in ${taken.toFixed(1)} ms.${from}${end}`;
}

/** Mark each word by the change of the probability without it. */
async function mark(client, request, label) {
  const found = await client.ask("occlude", "occlude", request);
  const current = element("classify-text").value === request.text && element("classify-task").value === request.name;
  if (!found || !current) return;
  const largest = Math.max(...found.changes.map(({ change }) => Math.abs(change)), LEAST);
  const shown = [];
  let done = 0;
  for (const { start, end, change } of found.changes) {
    shown.push(request.text.slice(done, start));
    const word = make("mark", request.text.slice(start, end));
    if (Math.abs(change) >= LEAST) {
      word.className = change > 0 ? "for" : "against";
      word.style.setProperty("--strength", (0.3 * Math.abs(change)) / largest);
    }
    shown.push(word);
    done = end;
  }
  element("classify-words").replaceChildren(...shown, request.text.slice(done));
  element("classify-spoken").textContent = sentence(request.text, found.changes, label);
}

/** Say which words matter most, for people who do not see the marks. */
function sentence(text, changes, label) {
  const strong = changes.filter(({ change }) => Math.abs(change) >= LEAST).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  const words = (sign) => strong.filter(({ change }) => Math.sign(change) === sign).slice(0, 3);
  const list = (found) => found.map(({ start, end, change }) => `${text.slice(start, end)} (${percent(Math.abs(change))})`).join(", ");
  const parts = [];
  if (words(1).length) parts.push(`For ${label} (solid line): ${list(words(1))}.`);
  if (words(-1).length) parts.push(`Against it (dashed line): ${list(words(-1))}.`);
  return parts.join(" ") || "No single word changes the answer much.";
}
