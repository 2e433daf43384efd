"use strict";
// The forward pass of BERT on one text (Devlin et al. 2019, https://arxiv.org/abs/1810.04805).

class Bert {
  /**
   * @param {object} model - the entry of the model in the header of the page.
   * @param {ArrayBuffer} bytes - the weights of all models.
   */
  constructor(model, bytes) {
    this.model = model;
    this.bytes = bytes;
    this.embeddings = {
      words: this.bytewise("embeddings.word_embeddings.weight"),
      positions: this.matrix("embeddings.position_embeddings.weight"),
      types: this.matrix("embeddings.token_type_embeddings.weight"),
      norm: this.norm("embeddings.LayerNorm"),
    };
    this.layers = Array.from({ length: model.layers }, (_, number) => {
      const name = `encoder.layer.${number}`;
      return {
        qkv: this.linear(`${name}.attention.qkv`),
        dense: this.linear(`${name}.attention.output.dense`),
        attentionNorm: this.norm(`${name}.attention.output.LayerNorm`),
        inner: this.linear(`${name}.intermediate.dense`),
        outer: this.linear(`${name}.output.dense`),
        norm: this.norm(`${name}.output.LayerNorm`),
      };
    });
  }

  /** Return a tensor as int8 rows with one scale each. */
  bytewise(name) {
    const { shape, at, scales } = this.model.tensors[name];
    const [rows, width] = shape;
    return { rows: new Int8Array(this.bytes, at, rows * width), scales: new Float32Array(this.bytes, scales, rows), width };
  }

  /** Return a tensor as Float32Array; int8 rows are multiplied by their scales. */
  matrix(name) {
    const { shape, at, scales } = this.model.tensors[name];
    const size = shape.reduce((a, b) => a * b, 1);
    if (scales === undefined) return new Float32Array(this.bytes, at, size);
    const { rows, scales: factors, width } = this.bytewise(name);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i += 1) values[i] = rows[i] * factors[Math.floor(i / width)];
    return values;
  }

  linear(name) {
    const [outputs, inputs] = this.model.tensors[`${name}.weight`].shape;
    const bias = this.model.tensors[`${name}.bias`] ? this.matrix(`${name}.bias`) : null;
    return { weight: this.matrix(`${name}.weight`), bias, outputs, inputs };
  }

  norm(name) {
    return { weight: this.matrix(`${name}.weight`), bias: this.matrix(`${name}.bias`) };
  }

  /** Return the output of the embeddings, [tokens, width]; tokens from `second` on are of the second text. */
  embed({ ids, second }) {
    const { words, positions, types, norm } = this.embeddings;
    const { width } = words;
    const x = new Float32Array(ids.length * width);
    ids.forEach((id, token) => {
      const type = second !== null && token >= second ? width : 0;
      for (let i = 0; i < width; i += 1) {
        x[token * width + i] = words.rows[id * width + i] * words.scales[id] + positions[token * width + i] + types[type + i];
      }
    });
    return normalise(x, ids.length, norm, this.model.epsilon);
  }

  /** Return the output of the embeddings and of the last layer; `firstOnly` computes only the first token of the last layer. */
  run(reading, firstOnly = false) {
    const { ids } = reading;
    const first = this.embed(reading);
    let x = first;
    this.layers.forEach((layer, number) => {
      x = this.layer(layer, x, ids.length, firstOnly && number === this.layers.length - 1 ? 1 : ids.length);
    });
    return { first, last: x };
  }

  /** Return the output of a layer at the first `kept` of the tokens. */
  layer(layer, x, tokens, kept) {
    const { epsilon } = this.model;
    const mixed = linear(this.attend(linear(x, tokens, layer.qkv), tokens, kept), kept, layer.dense);
    const middle = normalise(add(mixed, x), kept, layer.attentionNorm, epsilon);
    const outer = linear(gelu(linear(middle, kept, layer.inner)), kept, layer.outer);
    return normalise(add(outer, middle), kept, layer.norm, epsilon);
  }

  /** Return the values mixed by attention, [kept, width], of queries, keys and values next to each other, [tokens, 3 * width]. */
  attend(qkv, tokens, kept) {
    const { heads, width } = this.model;
    const size = width / heads;
    const result = new Float32Array(kept * width);
    const scores = new Float64Array(tokens);
    for (let head = 0; head < heads; head += 1) {
      for (let query = 0; query < kept; query += 1) {
        const from = query * 3 * width + head * size;
        for (let key = 0; key < tokens; key += 1) {
          scores[key] = dot(qkv, from, qkv, key * 3 * width + width + head * size, size) / Math.sqrt(size);
        }
        const shares = softmax(scores);
        const to = query * width + head * size;
        for (let key = 0; key < tokens; key += 1) {
          const value = key * 3 * width + 2 * width + head * size;
          for (let i = 0; i < size; i += 1) result[to + i] += shares[key] * qkv[value + i];
        }
      }
    }
    return result;
  }
}
