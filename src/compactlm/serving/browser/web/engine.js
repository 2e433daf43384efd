"use strict";
// Loads the models of a page, checks them, and answers requests. Runs in a worker.

class Engine {
  /** Take the header of the page and its models by name: their entries of the header, and `answer`, which gives values or a promise. */
  constructor(header, models) {
    this.tokenizers = header.tokenizers.map((settings) => new WordPiece(settings));
    this.models = models;
    this.bound = header.bound;
  }

  tokenizer(name) {
    return this.tokenizers[this.models.get(name).model.tokenizer];
  }

  /** Return the ids that a model reads of a text, the words that they cover, and whether the text was truncated. */
  read(name, text) {
    const tokenizer = this.tokenizer(name);
    const { ids, words } = tokenizer.encode(text);
    const kept = tokenizer.cut(ids, this.models.get(name).model.limit);
    return { ids: kept, words: words.filter((word) => word.to < kept.length), cut: kept.length < ids.length };
  }

  /** Return the largest difference to the values that the page has for some texts; throw an Error if it is above the bound. */
  async check() {
    let largest = 0;
    for (const [name, model] of this.models) {
      for (const row of model.model.frozen) {
        const { ids } = this.read(name, row.text);
        if (ids.join() !== row.ids.join()) throw new Error(`The model ${name} reads the text “${row.text.slice(0, 40)}” differently`);
        const values = await model.answer(ids, row.position);
        for (const [at, expected] of row.values) {
          const difference = Math.abs(values[at] - expected);
          if (!(difference <= this.bound)) throw new Error(`The model ${name} computes ${values[at]} instead of ${expected}`);
          largest = Math.max(largest, difference);
        }
      }
    }
    return { largest, bound: this.bound };
  }

  /** Return the probability of each label and the label that is given. */
  async classify({ name, text }) {
    const model = this.models.get(name);
    const { ids, cut } = this.read(name, text);
    const probabilities = [...softmax(await model.answer(ids))];
    return { probabilities, chosen: choose(model.model, probabilities), tokens: ids.length, cut };
  }

  /**
   * Return how much the probability of the given label falls when each word is masked (Zeiler and Fergus 2014,
   * https://arxiv.org/abs/1311.2901), or null when `stale` says that the answer is no longer needed.
   */
  async occlude({ name, text }, stale) {
    const model = this.models.get(name);
    const { mask } = this.tokenizer(name);
    const { ids, words } = this.read(name, text);
    const whole = softmax(await model.answer(ids));
    const chosen = choose(model.model, [...whole]);
    const changes = [];
    for (const { start, end, from, to } of words) {
      await pause();
      if (stale()) return null;
      const without = ids.map((id, at) => (from <= at && at < to ? mask : id));
      changes.push({ start, end, change: whole[chosen] - softmax(await model.answer(without))[chosen] });
    }
    return { changes };
  }

  /** Return the likeliest tokens for each [MASK] of a text that fits the model. */
  async fill({ name, text, count }) {
    const { ids, cut } = this.read(name, text);
    const { mask, tokens } = this.tokenizer(name);
    const positions = ids.flatMap((id, at) => (id === mask ? [at] : []));
    const masks = [];
    for (const position of positions) {
      const probabilities = softmax(await this.models.get(name).answer(ids, position));
      const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
      masks.push(order.slice(0, count).map((id) => ({ piece: tokens[id], probability: probabilities[id] })));
    }
    return { masks, cut };
  }

  /** Return the cosine similarity of two texts. */
  async compare({ name, first, second }) {
    const a = await this.models.get(name).answer(this.read(name, first).ids);
    const b = await this.models.get(name).answer(this.read(name, second).ids);
    return { similarity: dot(a, 0, b, 0, a.length) };
  }

  /** Return the lines that are nearest to a query; vectors of lines are kept until other lines come. */
  async search({ name, query, lines, count }, stale, progress) {
    const model = this.models.get(name);
    const vector = (text) => model.answer(this.read(name, text).ids);
    const known = this.vectors ?? new Map();
    const vectors = new Map();
    for (const [at, line] of lines.entries()) {
      if (!known.has(line)) {
        if (at % 8 === 0) {
          await pause();
          if (stale()) return null;
          progress(at / lines.length);
        }
        known.set(line, await vector(line));
      }
      vectors.set(line, known.get(line));
      this.vectors = known;
    }
    this.vectors = vectors;
    const asked = await vector(query);
    const found = [...vectors].map(([line, one]) => ({ line, similarity: dot(asked, 0, one, 0, one.length) }));
    return { found: found.sort((a, b) => b.similarity - a.similarity).slice(0, count) };
  }

  /** Return the token ids of a text, all values of the model's answer, and the milliseconds that it took, tokenization included. */
  async values({ name, text, position }) {
    const start = performance.now();
    const { ids } = this.read(name, text);
    const values = await this.models.get(name).answer(ids, position ?? ids.indexOf(this.tokenizer(name).mask));
    return { ids, values: [...values], taken: performance.now() - start };
  }

  /** Return the milliseconds of each of some answers to a text of a number of tokens. */
  async measure({ name, tokens, times }) {
    const model = this.models.get(name);
    const { cls, sep, mask } = this.tokenizer(name);
    const ids = [cls, ...Array(tokens - 2).fill(mask), sep];
    const taken = [];
    for (let run = 0; run < times; run += 1) {
      await pause();
      const start = performance.now();
      await model.answer(ids, 1);
      taken.push(performance.now() - start);
    }
    return { taken };
  }
}

/** Let other messages be handled. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
