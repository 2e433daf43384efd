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

  /** Return what a model reads of a text, or of two; see readInput. */
  read(name, text, pair = "") {
    return readInput(this.tokenizer(name), this.models.get(name).model, text, pair);
  }

  /** Return the largest difference to the values that the page has for some texts; throw an Error if it is above the bound. */
  async check() {
    let largest = 0;
    for (const [name, model] of this.models) {
      for (const row of model.model.frozen) {
        const reading = this.read(name, row.text, row.pair);
        if (reading.ids.join() !== row.ids.join() || reading.second !== (row.second ?? null)) throw new Error(`The model ${name} reads the text “${row.text.slice(0, 40)}” differently`);
        const values = await model.answer(reading, row.position);
        for (const [at, expected] of row.values) {
          const difference = Math.abs(values[at] - expected);
          if (!(difference <= this.bound)) throw new Error(`The model ${name} computes ${values[at]} instead of ${expected}`);
          largest = Math.max(largest, difference);
        }
      }
    }
    return { largest, bound: this.bound };
  }

  /** Return the probability of each label, or the number, and the label that is given. */
  async classify({ name, text, pair }) {
    const model = this.models.get(name);
    const reading = this.read(name, text, pair);
    const probabilities = activate(model.model, await model.answer(reading));
    return { probabilities, chosen: choose(model.model, probabilities), tokens: reading.ids.length, cut: reading.cut };
  }

  /**
   * Return how much the probability of the given label, or the number, falls when each word is masked (Zeiler and Fergus 2014,
   * https://arxiv.org/abs/1311.2901), or null when `stale` says that the answer is no longer needed. Places in the second text count from
   * the text, a line end, and the second text.
   */
  async occlude({ name, text, pair }, stale) {
    const model = this.models.get(name);
    const { mask } = this.tokenizer(name);
    const reading = this.read(name, text, pair);
    const whole = activate(model.model, await model.answer(reading));
    const chosen = choose(model.model, whole);
    const changes = [];
    for (const { start, end, from, to, side } of reading.words) {
      await pause();
      if (stale()) return null;
      const ids = reading.ids.map((id, at) => (from <= at && at < to ? mask : id));
      const without = activate(model.model, await model.answer({ ...reading, ids }));
      const offset = side ? text.length + 1 : 0;
      changes.push({ start: start + offset, end: end + offset, change: whole[chosen] - without[chosen] });
    }
    return { changes };
  }

  /** Return the words of a text with their tags and probabilities, and the entities by word numbers. */
  async tag({ name, text }) {
    const model = this.models.get(name);
    const reading = this.read(name, text);
    const { labels } = model.model;
    const logits = await model.answer(reading);
    const words = reading.words.map(({ start, end, from }) => {
      const probabilities = softmax(logits.slice(from * labels.length, (from + 1) * labels.length));
      const best = probabilities.indexOf(Math.max(...probabilities));
      return { start, end, tag: labels[best], probability: probabilities[best] };
    });
    return { words, entities: entitiesOf(words.map((word) => word.tag)), tokens: reading.ids.length, cut: reading.cut };
  }

  /** Return where the answer to a question is in a passage, start -1 if nowhere, and its probability. */
  async extract({ name, text, pair }) {
    const model = this.models.get(name);
    const reading = this.read(name, text, pair);
    const found = bestSpan(reading.places, await model.answer(reading), model.model.threshold);
    return { ...found, tokens: reading.ids.length, cut: reading.cut };
  }

  /** Return the likeliest tokens for each [MASK] that the model reads, and how many are beyond the cut. */
  async fill({ name, text, count }) {
    const reading = this.read(name, text);
    const tokenizer = this.tokenizer(name);
    const { mask, tokens } = tokenizer;
    const places = (ids) => ids.flatMap((id, at) => (id === mask ? [at] : []));
    const positions = places(reading.ids);
    const beyond = reading.cut ? places(tokenizer.encode(text).ids).length - positions.length : 0;
    const masks = [];
    for (const position of positions) {
      const probabilities = softmax(await this.models.get(name).answer(reading, position));
      const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
      masks.push(order.slice(0, count).map((id) => ({ piece: tokens[id], probability: probabilities[id] })));
    }
    return { masks, beyond, cut: reading.cut };
  }

  /** Return the vector of a text, and whether the text was truncated. */
  async embed(name, text) {
    const reading = this.read(name, text);
    return { vector: await this.models.get(name).answer(reading), cut: reading.cut };
  }

  /** Return the cosine similarity of two texts. */
  async compare({ name, first, second }) {
    const a = await this.embed(name, first);
    const b = await this.embed(name, second);
    return { similarity: dot(a.vector, 0, b.vector, 0, a.vector.length), cut: a.cut || b.cut };
  }

  /** Return the lines that are nearest to a query; vectors of lines are kept until other lines come. */
  async search({ name, query, lines, count }, stale, progress) {
    const known = this.vectors ?? new Map();
    const vectors = new Map();
    for (const [at, line] of lines.entries()) {
      if (!known.has(line)) {
        if (at % 8 === 0) {
          await pause();
          if (stale()) return null;
          progress(at / lines.length);
        }
        known.set(line, await this.embed(name, line));
      }
      vectors.set(line, known.get(line));
      this.vectors = known;
    }
    this.vectors = vectors;
    const asked = await this.embed(name, query);
    const found = [...vectors].map(([line, { vector }]) => ({ line, similarity: dot(asked.vector, 0, vector, 0, vector.length) }));
    const cut = asked.cut || [...vectors.values()].some((one) => one.cut);
    return { found: found.sort((a, b) => b.similarity - a.similarity).slice(0, count), cut };
  }

  /** Return the token ids of a text, all values of the model's answer, and the milliseconds that it took, tokenization included. */
  async values({ name, text, pair, position }) {
    const start = performance.now();
    const reading = this.read(name, text, pair);
    const values = await this.models.get(name).answer(reading, position ?? reading.ids.indexOf(this.tokenizer(name).mask));
    const taken = performance.now() - start;
    return { ids: reading.ids, values: [...values], taken };
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
      await model.answer({ ids, second: null }, 1);
      taken.push(performance.now() - start);
    }
    return { taken };
  }
}

/** Let other messages be handled. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
