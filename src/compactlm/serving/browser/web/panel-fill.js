"use strict";
// The panel that completes a sentence: the likeliest tokens for each [MASK].

const CANDIDATES = 5;

function startFill(client, name) {
  element("fill").hidden = false;
  const text = element("fill-text");
  return follow([text], async () => {
    const { masks, beyond, cut } = await client.ask("fill", "fill", { name, text: text.value, count: CANDIDATES });
    const best = masks.map(([candidate]) => candidate.piece);
    const none = beyond ? "The text was cut before its [MASK]." : "Write [MASK] in place of a word.";
    say(element("fill-answer"), masks.length ? best.join(", ") : none);
    const left = beyond ? ` ${beyond} [MASK] ${beyond === 1 ? "is" : "are"} beyond the cut.` : "";
    showNote(element("fill-note"), cut ? `${TOO_LONG}${left}` : "");
    element("fill-masks").replaceChildren(
      ...masks.map((candidates, number) => {
        const list = make("ul", "", "bars");
        list.setAttribute("aria-label", `Candidates for mask ${number + 1}`);
        list.append(...candidates.map(({ piece, probability }) => bar(piece, probability)));
        return list;
      }),
    );
  });
}
