"use strict";
// How a model reads its input: token ids, where a second text begins, and which part of the text each token stands for.

const WORD = /\S+/gu;
const MARKS = /[\p{P}\p{S}]/u;
const ADDRESS = /^(?:(?:https?:\/\/|www\.)\S+|[^\s@]+@[^\s@]+\.[\p{L}\p{N}_]+)/u;
const NAME = /^[@#][\p{L}\p{N}_]+/u;
const IDEOGRAPH = /[\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{2fa1f}]/u;

/**
 * Return what a model reads.
 *
 * @param {WordPiece} tokenizer - of the model.
 * @param {object} model - the entry of the model in the header.
 * @param {string} text - the text; the passage of a question.
 * @param {string} pair - the second text of a pair; the question.
 * @returns {object} `ids`; `second`, where the tokens of the second text begin, or null; `words`, which stand for tokens from `from` to
 *   before `to`; `places`, for questions the part of the passage of each token, or null; `cut`, whether the text was truncated.
 */
function readInput(tokenizer, model, text, pair) {
  if (model.kind === "tagging") return readWords(tokenizer, model.limit, text);
  if (model.kind === "span") return readPassage(tokenizer, model.limit, text, pair);
  if (model.pair) return readPair(tokenizer, model.limit, text, pair);
  const { ids, words } = tokenizer.encode(text);
  const kept = tokenizer.cut(ids, model.limit);
  return { ids: kept, second: null, words: words.filter((word) => word.to < kept.length), cut: kept.length < ids.length };
}

/** Read two texts as one sequence; of a long pair the longer text is cut first. Words of the second text count from its start. */
function readPair(tokenizer, limit, text, pair) {
  const [one, other] = [tokenizer.segment(text), tokenizer.segment(pair)];
  const [kept, rest] = lengthsOfPair(one.ids.length, other.ids.length, limit - 3);
  const second = kept + 2;
  const place = (words, shift, most, side) =>
    words.filter(({ to }) => to <= most).map((word) => ({ ...word, from: word.from + shift, to: word.to + shift, side }));
  return {
    ids: [tokenizer.cls, ...one.ids.slice(0, kept), tokenizer.sep, ...other.ids.slice(0, rest), tokenizer.sep],
    second,
    words: [...place(one.words, 1, kept, 0), ...place(other.words, second, rest, 1)],
    cut: kept < one.ids.length || rest < other.ids.length,
  };
}

/** Return how many tokens of both texts are kept, together at most `allowed`: the longer text is cut, down to the shorter one. */
function lengthsOfPair(first, second, allowed) {
  if (first + second <= allowed) return [first, second];
  const half = Math.floor(allowed / 2);
  if (Math.min(first, second) <= half) return first <= second ? [first, allowed - first] : [allowed - second, second];
  return first <= second ? [half, allowed - half] : [allowed - half, half];
}

/** Read a question and the beginning of a passage. A question of more than half of the room is cut. */
function readPassage(tokenizer, limit, passage, question) {
  const whole = tokenizer.segment(question).ids;
  const asked = whole.slice(0, Math.floor((limit - 3) / 2));
  const { ids, places } = tokenizer.segment(passage);
  const width = limit - 3 - asked.length;
  return {
    ids: [tokenizer.cls, ...asked, tokenizer.sep, ...ids.slice(0, width), tokenizer.sep],
    second: asked.length + 2,
    words: [],
    places: [...Array(asked.length + 2).fill(null), ...places.slice(0, width), null],
    cut: asked.length < whole.length || ids.length > width,
  };
}

/** Read the words of a text, each by itself; its first token stands for a word. Words that do not fit are left out. */
function readWords(tokenizer, limit, text) {
  const ids = [tokenizer.cls];
  const words = [];
  const all = findWords(text);
  for (const [start, end] of all) {
    const found = tokenizer.segment(text.slice(start, end)).ids.slice(0, limit - 2);
    const tokens = found.length ? found : [tokenizer.unknown];
    if (ids.length + tokens.length > limit - 1) break;
    words.push({ start, end, from: ids.length, to: ids.length + tokens.length });
    ids.push(...tokens);
  }
  ids.push(tokenizer.sep);
  return { ids, second: null, words, cut: words.length < all.length };
}

/**
 * Return where the words of a text are. Spaces separate words. Punctuation and symbols around a word are words of their own, and a run of
 * the same character is one. Ideographs are words of one character. Addresses, @user and #topic are whole words.
 */
function findWords(text) {
  const found = [];
  for (const match of text.matchAll(WORD)) {
    const characters = [...match[0]];
    const places = [match.index];
    for (const one of characters) places.push(places.at(-1) + one.length);
    const rest = (from, to) => characters.slice(from, to).join("");
    let [first, last] = [0, characters.length];
    while (first < last && MARKS.test(characters[first]) && !NAME.test(rest(first, last))) {
      let after = first + 1;
      while (after < last && characters[after] === characters[first]) after += 1;
      found.push([places[first], places[after]]);
      first = after;
    }
    const tail = [];
    while (first < last && MARKS.test(characters[last - 1])) {
      let before = last - 1;
      while (before > first && characters[before - 1] === characters[last - 1]) before -= 1;
      tail.unshift([places[before], places[last]]);
      last = before;
    }
    let start = first;
    const whole = ADDRESS.test(rest(first, last));
    for (let at = first; at < last; at += 1) {
      if (whole || !IDEOGRAPH.test(characters[at])) continue;
      if (start < at) found.push([places[start], places[at]]);
      found.push([places[at], places[at + 1]]);
      start = at + 1;
    }
    if (start < last) found.push([places[start], places[last]]);
    found.push(...tail);
  }
  return found;
}
