"use strict";
// What follows the forward pass: the label that is given, and the vector of a sentence.

const LONGEST = 64; // tokens of an answer to a question

/** Return probabilities of logits, or the logits of a model that gives a number. */
function activate({ activation }, logits) {
  if (activation === "softmax") return [...softmax(logits)];
  return activation === "sigmoid" ? [...logits].map((logit) => 1 / (1 + Math.exp(-logit))) : [...logits];
}

/**
 * Return the number of the label that a model gives, or the likeliest one of a model that gives several: with a threshold, the second
 * label is given from that probability on.
 */
function choose({ threshold }, probabilities) {
  if (threshold !== null) return probabilities[1] >= threshold ? 1 : 0;
  return probabilities.indexOf(Math.max(...probabilities));
}

/**
 * Return the place of an answer in a passage with its probability, or no place if no answer is likelier (Devlin et al. 2019).
 *
 * @param {Array} places - the part of the passage of each token; null for tokens that are not of the passage.
 * @param {Float32Array} logits - of starts and ends, [tokens, 2].
 * @param {number} threshold - by how much the score of an answer must be above that of [CLS].
 */
function bestSpan(places, logits, threshold) {
  const nothing = logits[0] + logits[1];
  let best = { score: -Infinity };
  const scores = [nothing];
  for (let first = 0; first < places.length; first += 1) {
    for (let last = first; places[first] && last < Math.min(first + LONGEST, places.length); last += 1) {
      if (!places[last]) continue;
      const score = logits[2 * first] + logits[2 * last + 1];
      scores.push(score);
      if (score > best.score) best = { score, start: places[first][0], end: places[last][1] };
    }
  }
  const greatest = Math.max(best.score, nothing);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - greatest), 0);
  const probability = (score) => Math.exp(score - greatest) / total;
  if (best.score - nothing > threshold) return { start: best.start, end: best.end, probability: probability(best.score) };
  return { start: -1, end: -1, probability: probability(nothing) };
}

/** Return the entities of tags in BIO or BIOES: type, first word, and the word after the last. Other tags are entities of one word. */
function entitiesOf(tags) {
  const found = [];
  let before = ["O", ""];
  tags.forEach((tag, word) => {
    const at = tag.indexOf("-");
    const current = at < 0 ? [tag, ""] : [tag.slice(0, at), tag.slice(at + 1)];
    const continues = "IE".includes(current[0]) && "BI".includes(before[0]) && current[1] === before[1] && at > 0;
    if (continues) found.at(-1).end = word + 1;
    else if (tag !== "O") found.push({ type: current[1] || tag, start: word, end: word + 1 });
    before = current;
  });
  return found;
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
