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
  const [text, pair] = ["classify-text", "classify-second"].map(element);
  let timer = 0;
  const update = async () => {
    const model = tasks.find(({ name }) => name === choice.value);
    element("classify-pair").hidden = !model.pair;
    const request = { name: choice.value, text: text.value, pair: model.pair ? pair.value : "" };
    clearTimeout(timer);
    if (!request.text.trim()) return clearClassify();
    const start = performance.now();
    const answer = await client.ask("classify", "classify", request);
    const taken = performance.now() - start;
    showAnswer(model, answer, taken);
    element("classify-words").textContent = whole(request);
    element("classify-spoken").textContent = "";
    timer = setTimeout(() => mark(client, request, model, answer.chosen), PAUSE);
    return null;
  };
  return follow([text, pair, choice], update);
}

function clearClassify() {
  for (const part of ["answer", "bars", "words", "spoken", "note"]) element(`classify-${part}`).textContent = "";
}

/** Return what is shown of a text or of two. */
function whole({ text, pair }) {
  return pair ? `${text}\n${pair}` : text;
}

function showAnswer({ labels, threshold, activation }, { probabilities, chosen, tokens, cut }, taken) {
  say(element("classify-answer"), answerOf(labels, activation, probabilities, chosen));
  const bars = activation === "none" ? [] : labels.map((label, number) => bar(label, probabilities[number]));
  element("classify-bars").hidden = !bars.length;
  element("classify-bars").replaceChildren(...bars);
  const end = cut ? ` ${TOO_LONG}` : "";
  // Fine-tuning may have found another threshold than 50 % best.
  const from = threshold === null ? "" : ` The answer is ${labels[1]} from a probability of ${percent(threshold)} on.`;
  element("classify-note").textContent = `${tokens} tokens in ${taken.toFixed(1)} ms.${from}${end}`;
}

/** Return the answer in words: the label, all labels from 50 % on, or the number. */
function answerOf(labels, activation, probabilities, chosen) {
  if (activation === "none") return probabilities[0].toFixed(2);
  if (activation === "softmax") return `${labels[chosen]}, ${percent(probabilities[chosen])}`;
  const given = labels.map((label, number) => ({ label, probability: probabilities[number] })).filter(({ probability }) => probability >= 0.5);
  given.sort((a, b) => b.probability - a.probability);
  return given.map(({ label, probability }) => `${label} ${percent(probability)}`).join(", ") || "none of the labels";
}

/** Mark each word by the change of the probability without it. */
async function mark(client, request, model, chosen) {
  const found = await client.ask("occlude", "occlude", request);
  const shownNow = whole({ text: element("classify-text").value, pair: model.pair ? element("classify-second").value : "" });
  if (!found || shownNow !== whole(request) || element("classify-task").value !== request.name) return;
  const text = whole(request);
  const largest = Math.max(...found.changes.map(({ change }) => Math.abs(change)), LEAST);
  const shown = [];
  let done = 0;
  for (const { start, end, change } of found.changes) {
    shown.push(text.slice(done, start));
    const word = make("mark", text.slice(start, end));
    if (Math.abs(change) >= LEAST) {
      word.className = change > 0 ? "for" : "against";
      word.style.setProperty("--strength", (0.3 * Math.abs(change)) / largest);
    }
    shown.push(word);
    done = end;
  }
  element("classify-words").replaceChildren(...shown, text.slice(done));
  element("classify-spoken").textContent = sentence(text, found.changes, model, chosen);
}

/** Say which words matter most, for people who do not see the marks. */
function sentence(text, changes, { labels, activation }, chosen) {
  const strong = changes.filter(({ change }) => Math.abs(change) >= LEAST).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  const words = (sign) => strong.filter(({ change }) => Math.sign(change) === sign).slice(0, 3);
  const size = activation === "none" ? (change) => Math.abs(change).toFixed(2) : (change) => percent(Math.abs(change));
  const list = (found) => found.map(({ start, end, change }) => `${text.slice(start, end)} (${size(change)})`).join(", ");
  const [more, less] = activation === "none" ? ["More by", "Less by"] : [`For ${labels[chosen]}`, "Against it"];
  const parts = [];
  if (words(1).length) parts.push(`${more} (solid line): ${list(words(1))}.`);
  if (words(-1).length) parts.push(`${less} (dashed line): ${list(words(-1))}.`);
  return parts.join(" ") || "No single word changes the answer much.";
}
