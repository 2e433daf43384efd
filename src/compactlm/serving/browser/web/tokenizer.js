"use strict";
// The tokenizer of BERT: Unicode normalisation, words, and WordPiece (Devlin et al. 2019, https://arxiv.org/abs/1810.04805).

const CHINESE = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f], [0x2b740, 0x2b81f], [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
];
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/;
const PUNCTUATION = /\p{P}/u;
const SPACE = /[\p{White_Space}]/u;
const OTHER = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const MARK = /\p{Mn}/gu;

class WordPiece {
  /**
   * @param {object} settings - vocabulary (tokens by id), special (tokens that are found in the text as they are), prefix of tokens
   *   that continue a word, longest (characters of a word; longer words are unknown), and the switches of the normalisation.
   */
  constructor(settings) {
    this.settings = settings;
    this.tokens = settings.vocabulary;
    this.ids = new Map(this.tokens.map((token, id) => [token, id]));
    this.unknown = this.ids.get("[UNK]");
    this.cls = this.ids.get("[CLS]");
    this.sep = this.ids.get("[SEP]");
    this.mask = this.ids.get("[MASK]");
    const special = [...settings.special].sort((a, b) => b.length - a.length).map((token) => token.replace(/[[\]\\^$.*+?(){}|]/g, "\\$&"));
    this.special = new RegExp(special.join("|"), "g");
  }

  /** Return the ids of a text with [CLS] and [SEP], not truncated, and its words: where they stand in the text and among the ids. */
  encode(text) {
    const { ids, words } = this.segment(text);
    return { ids: [this.cls, ...ids, this.sep], words: words.map((word) => ({ ...word, from: word.from + 1, to: word.to + 1 })) };
  }

  /** Return the ids of a text without special tokens, the place of each in the text, and the words: places in the text and among the ids. */
  segment(text) {
    const ids = [];
    const places = [];
    const words = [];
    const add = (found, start, end) => {
      words.push({ start, end, from: ids.length, to: ids.length + found.length });
      for (const piece of found) {
        ids.push(piece.id);
        places.push(piece.place);
      }
    };
    const addAll = (from, to) => {
      for (const word of this.words(text.slice(from, to), from)) add(this.pieces(word), word.start, word.end);
    };
    let done = 0;
    for (const match of text.matchAll(this.special)) {
      addAll(done, match.index);
      done = match.index + match[0].length;
      add([{ id: this.ids.get(match[0]), place: [match.index, done] }], match.index, done);
    }
    addAll(done, text.length);
    return { ids, places, words };
  }

  /** Return the normalised words of a text, with the place of each of their characters; `offset` is where the text starts. */
  words(text, offset) {
    const found = [];
    let word = null;
    const close = () => {
      if (word) found.push(word);
      word = null;
    };
    let at = offset;
    for (const character of text) {
      const end = at + character.length;
      for (const one of this.normalise(character)) {
        if (SPACE.test(one)) close();
        else if (ASCII_PUNCTUATION.test(one) || PUNCTUATION.test(one)) {
          close();
          found.push({ text: one, start: at, end, places: [[at, end]] });
        } else if (word) {
          word.text += one;
          word.end = end;
          word.places.push([at, end]);
        } else word = { text: one, start: at, end, places: [[at, end]] };
      }
      at = end;
    }
    close();
    return found;
  }

  /** Return the normalised form of one character, "" if it is removed. */
  normalise(character) {
    const { clean, chinese, accents, lower } = this.settings;
    let text = character;
    if (clean) {
      if (text === "\ufffd" || (!/[\t\n\r]/.test(text) && OTHER.test(text))) return "";
      if (SPACE.test(text)) text = " ";
    }
    const code = text.codePointAt(0);
    if (chinese && CHINESE.some(([first, last]) => first <= code && code <= last)) text = ` ${text} `;
    if (accents) text = text.normalize("NFD").replace(MARK, "");
    // One character at a time: in a whole word, JavaScript writes the last sigma differently.
    return lower ? [...text].map((one) => one.toLowerCase()).join("") : text;
  }

  /** Return the longest tokens that make up a word, from left to right, as id and place; an unknown word is one [UNK]. */
  pieces({ text, start: first, end: last, places }) {
    const characters = [...text];
    const unknown = [{ id: this.unknown, place: [first, last] }];
    if (characters.length > this.settings.longest) return unknown;
    const found = [];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      let id;
      for (; end > start; end -= 1) {
        id = this.ids.get((start ? this.settings.prefix : "") + characters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return unknown;
      found.push({ id, place: [places[start][0], places[end - 1][1]] });
      start = end;
    }
    return found;
  }

  /** Return ids truncated to a number of tokens; a truncated sequence ends with [SEP]. */
  cut(ids, limit) {
    return ids.length <= limit ? ids : [...ids.slice(0, limit - 1), this.sep];
  }
}
