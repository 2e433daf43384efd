"use strict";
// What follows the forward pass: the label that is given, and the vector of a sentence.

/** Return the number of the label that a model gives: with a threshold, the second label is given from that probability on. */
function choose({ threshold }, probabilities) {
  if (threshold !== null) return probabilities[1] >= threshold ? 1 : 0;
  return probabilities.indexOf(Math.max(...probabilities));
}

/**
 * Return the unit vector of a text; a text without tokens has zeros.
 *
 * @param {object} pooling - `outputs`, the names of the states that are averaged, and `frame`, whether [CLS] and [SEP] count.
 * @param {number} tokens - the number of tokens, with [CLS] and [SEP].
 * @param {object} states - Float32Array [tokens, width] by name, `first` and `last`.
 * @param {object} projection - a linear layer and the `mean` that is subtracted before it, or null.
 */
function sentenceVector({ frame, outputs }, tokens, states, projection) {
  const parts = outputs.map((name) => mean(states[name], tokens, frame ? 0 : 1));
  if (tokens <= 2) return new Float32Array(projection ? projection.outputs : parts[0].length);
  if (!projection) return unit(parts[0]);
  const features = Float32Array.from(parts.flatMap((part) => [...unit(part)]));
  return unit(linear(features.map((value, i) => value - projection.mean[i]), 1, projection));
}

/** Return the mean of the rows of x [rows, width] without the first and last `dropped`. */
function mean(x, rows, dropped) {
  const width = x.length / rows;
  const result = new Float32Array(width);
  const count = Math.max(rows - 2 * dropped, 1);
  for (let row = dropped; row < rows - dropped; row += 1) for (let i = 0; i < width; i += 1) result[i] += x[row * width + i] / count;
  return result;
}
