"use strict";
// What each kind of model answers: labels, masked words, sentence vectors.

class Classifier extends Bert {
  constructor(model, bytes) {
    super(model, bytes);
    this.pooler = this.linear("pooler.dense");
    this.classifier = this.linear("classifier");
  }

  /** Return the logits of the labels. */
  answer(ids) {
    return linear(linear(this.run(ids, true).last, 1, this.pooler).map(Math.tanh), 1, this.classifier);
  }

  /** Return the number of the label that the model gives: with a threshold, the second label is given from that probability on. */
  choose(probabilities) {
    const { threshold } = this.model;
    if (threshold !== null) return probabilities[1] >= threshold ? 1 : 0;
    return probabilities.indexOf(Math.max(...probabilities));
  }
}

class MaskedWords extends Bert {
  constructor(model, bytes) {
    super(model, bytes);
    this.transform = this.linear("cls.predictions.transform.dense");
    this.transformNorm = this.norm("cls.predictions.transform.LayerNorm");
    this.bias = this.matrix("cls.predictions.bias");
  }

  /** Return the logits of all tokens at one position. */
  answer(ids, position) {
    const { words } = this.embeddings;
    const { width } = words;
    const state = this.run(ids).last.slice(position * width, (position + 1) * width);
    const row = normalise(gelu(linear(state, 1, this.transform)), 1, this.transformNorm, this.model.epsilon);
    return add(dotRows(row, words), this.bias);
  }
}

class Sentences extends Bert {
  constructor(model, bytes) {
    super(model, bytes);
    this.dense = Array.from({ length: model.dense }, (_, number) => this.linear(`dense.${number}`));
    this.projection = model.tensors["projection.weight"] ? this.linear("projection") : null;
    this.centre = this.projection ? this.matrix("projection.mean") : null;
  }

  /** Return the unit vector of a text; a text without tokens has zeros. */
  answer(ids) {
    const { frame, outputs } = this.model.pooling;
    const states = this.run(ids);
    let last = states.last;
    for (const layer of this.dense) last = linear(last, ids.length, layer);
    const parts = outputs.map((name) => mean(name === "first" ? states.first : last, ids.length, frame ? 0 : 1));
    if (ids.length <= 2) return new Float32Array(this.projection ? this.projection.outputs : parts[0].length);
    if (!this.projection) return unit(parts[0]);
    const features = Float32Array.from(parts.flatMap((part) => [...unit(part)]));
    return unit(linear(features.map((value, i) => value - this.centre[i]), 1, this.projection));
  }
}

/** Return the mean of the rows of x [rows, width] without the first and last `dropped`. */
function mean(x, rows, dropped) {
  const width = x.length / rows;
  const result = new Float32Array(width);
  const count = Math.max(rows - 2 * dropped, 1);
  for (let row = dropped; row < rows - dropped; row += 1) for (let i = 0; i < width; i += 1) result[i] += x[row * width + i] / count;
  return result;
}

const KINDS = { task: Classifier, mlm: MaskedWords, embedding: Sentences };
