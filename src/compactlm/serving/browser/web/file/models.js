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
    const projection = model.tensors["projection.weight"];
    this.projection = projection ? { ...this.linear("projection"), mean: this.matrix("projection.mean") } : null;
  }

  /** Return the unit vector of a text; a text without tokens has zeros. */
  answer(ids) {
    const states = this.run(ids);
    for (const layer of this.dense) states.last = linear(states.last, ids.length, layer);
    return sentenceVector(this.model.pooling, ids.length, states, this.projection);
  }
}

const KINDS = { task: Classifier, mlm: MaskedWords, embedding: Sentences };

/** Return the models by name, of the header of the page and its weights. */
function openModels({ header, bytes }) {
  return new Map(header.models.map((model) => [model.name, new KINDS[model.kind](model, bytes)]));
}
