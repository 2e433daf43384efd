"use strict";
// The panels of models that read words: tags of the words of a text, and the answer to a question in a passage.

/** Fill the choice of a panel with the models of a kind and show the panel; return the choice, or null without such a model. */
function chooseModel(panel, models, kind) {
  const found = models.filter((model) => model.kind === kind);
  if (!found.length) return null;
  element(panel).hidden = false;
  const choice = element(`${panel}-task`);
  choice.append(...found.map(({ name }) => new Option(name, name)));
  element(`${panel}-tasks`).hidden = found.length < 2;
  return choice;
}

/** Return the note below an answer. */
function noteOf({ tokens, cut }, start) {
  return `${tokens} tokens in ${(performance.now() - start).toFixed(1)} ms.${cut ? ` ${TOO_LONG}` : ""}`;
}

function startTags(client, models) {
  const choice = chooseModel("tags", models, "tagging");
  if (!choice) return null;
  const text = element("tags-text");
  return follow([text, choice], async () => {
    const start = performance.now();
    const request = { name: choice.value, text: text.value };
    const answer = await client.ask("tags", "tag", request);
    const shown = [];
    let done = 0;
    for (const { type, start: first, end } of answer.entities) {
      const words = answer.words.slice(first, end);
      const mark = make("mark", request.text.slice(words[0].start, words.at(-1).end), "entity");
      mark.append(make("small", ` ${type} ${percent(Math.min(...words.map(({ probability }) => probability)))}`));
      shown.push(request.text.slice(done, words[0].start), mark);
      done = words.at(-1).end;
    }
    const found = answer.entities.map(({ type, start: first, end }) => `${request.text.slice(answer.words[first].start, answer.words[end - 1].end)} (${type})`);
    say(element("tags-answer"), found.join(", ") || "No word has a tag.");
    element("tags-words").replaceChildren(...shown, request.text.slice(done));
    element("tags-note").textContent = noteOf(answer, start);
  });
}

function startQuestions(client, models) {
  const choice = chooseModel("span", models, "span");
  if (!choice) return null;
  const [question, passage] = ["span-question", "span-passage"].map(element);
  return follow([question, passage, choice], async () => {
    const start = performance.now();
    const request = { name: choice.value, text: passage.value, pair: question.value };
    const answer = await client.ask("span", "extract", request);
    const text = answer.start < 0 ? "The passage has no answer" : request.text.slice(answer.start, answer.end);
    say(element("span-answer"), `${text}, ${percent(answer.probability)}`);
    const parts = answer.start < 0 ? [request.text] : [request.text.slice(0, answer.start), make("mark", text, "entity"), request.text.slice(answer.end)];
    element("span-words").replaceChildren(...parts);
    element("span-note").textContent = noteOf(answer, start);
  });
}
