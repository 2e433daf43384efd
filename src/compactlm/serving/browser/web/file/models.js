"use strict";
// What each kind of model answers: labels, masked words, sentence vectors.

class Classifier extends Bert {
  constructor(model, bytes) {
    super(model, bytes);
    this.pooler = this.linear("pooler.dense");
    this.classifier = this.linear("classifier");
  }

  /** Return the logits of the labels. */
  answer(reading) {
    return linear(linear(this.run(reading, true).last, 1, this.pooler).map(Math.tanh), 1, this.classifier);
  }
}

class Tokens extends Bert {
  constructor(model, bytes) {
    super(model, bytes);
    this.head = this.linear(model.kind === "span" ? "qa_outputs" : "classifier");
  }

  /** Return the logits of each token, [tokens, labels], or those of starts and ends of an answer, [tokens, 2]. */
  answer(reading) {
    return linear(this.run(reading).last, reading.ids.length, this.head);
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
  answer(reading, position) {
    const { words } = this.embeddings;
    const { width } = words;
    const state = this.run(reading).last.slice(position * width, (position + 1) * width);
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
  answer(reading) {
    const states = this.run(reading);
    const tokens = reading.ids.length;
    for (const layer of this.dense) states.last = linear(states.last, tokens, layer);
    return sentenceVector(this.model.pooling, tokens, states, this.projection);
  }
}

const KINDS = { task: Classifier, tagging: Tokens, span: Tokens, mlm: MaskedWords, embedding: Sentences };

/** Return the models by name, of the header of the page and its weights. */
function openModels({ header, bytes }) {
  return new Map(header.models.map((model) => [model.name, new KINDS[model.kind](model, bytes)]));
}
