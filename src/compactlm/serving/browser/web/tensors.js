"use strict";
// Arithmetic on Float32Array. Matrices are stored row by row; a weight matrix has one row for each output.

/** Return x W^T + bias, [rows, outputs], of x [rows, inputs] and the weight [outputs, inputs]. */
function linear(x, rows, layer) {
  const { weight, bias, outputs, inputs } = layer;
  const result = new Float32Array(rows * outputs);
  let row = 0;
  // Four rows share each value of the weight that is read.
  for (; row + 4 <= rows; row += 4) {
    const a = row * inputs, b = a + inputs, c = b + inputs, d = c + inputs;
    for (let output = 0; output < outputs; output += 1) {
      const start = output * inputs;
      let p = bias ? bias[output] : 0, q = p, r = p, s = p;
      for (let i = 0; i < inputs; i += 1) {
        const w = weight[start + i];
        p += x[a + i] * w;
        q += x[b + i] * w;
        r += x[c + i] * w;
        s += x[d + i] * w;
      }
      const at = row * outputs + output;
      result[at] = p;
      result[at + outputs] = q;
      result[at + 2 * outputs] = r;
      result[at + 3 * outputs] = s;
    }
  }
  for (; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      result[row * outputs + output] = (bias ? bias[output] : 0) + dot(x, row * inputs, weight, output * inputs, inputs);
    }
  }
  return result;
}

/** Return the scalar product of `size` values of two Float32Array from `a` and `b` on. */
function dot(x, a, y, b, size) {
  let p = 0, q = 0, r = 0, s = 0, i = 0;
  for (; i + 4 <= size; i += 4) {
    p += x[a + i] * y[b + i];
    q += x[a + i + 1] * y[b + i + 1];
    r += x[a + i + 2] * y[b + i + 2];
    s += x[a + i + 3] * y[b + i + 3];
  }
  for (; i < size; i += 1) p += x[a + i] * y[b + i];
  return p + q + r + s;
}

/**
 * Return the scalar product of x with each of the int8 rows, times their scales. It is a function of its own because engines
 * compile a loop for the types of arrays that it has met: `dot` would be slow for all after it had met Int8Array.
 */
function dotRows(x, { rows, scales, width }) {
  const result = new Float32Array(scales.length);
  for (let row = 0; row < scales.length; row += 1) {
    const start = row * width;
    let p = 0, q = 0;
    for (let i = 0; i + 2 <= width; i += 2) {
      p += x[i] * rows[start + i];
      q += x[i + 1] * rows[start + i + 1];
    }
    if (width % 2) p += x[width - 1] * rows[start + width - 1];
    result[row] = (p + q) * scales[row];
  }
  return result;
}

/** Normalise each row of x [rows, width] to mean 0 and variance 1, then scale and shift it; x is changed. */
function normalise(x, rows, { weight, bias }, epsilon) {
  const width = weight.length;
  for (let row = 0; row < rows; row += 1) {
    const start = row * width;
    let mean = 0, variance = 0;
    for (let i = 0; i < width; i += 1) mean += x[start + i];
    mean /= width;
    for (let i = 0; i < width; i += 1) variance += (x[start + i] - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / width + epsilon);
    for (let i = 0; i < width; i += 1) x[start + i] = (x[start + i] - mean) * scale * weight[i] + bias[i];
  }
  return x;
}

/** Apply x -> x/2 (1 + erf(x / sqrt 2)) to each value; x is changed. */
function gelu(x) {
  for (let i = 0; i < x.length; i += 1) x[i] *= 0.5 * (1 + erf(x[i] * Math.SQRT1_2));
  return x;
}

/** Return the error function; formula 7.1.26 of Abramowitz and Stegun 1964 has an error of at most 1.5e-7. */
function erf(x) {
  const size = Math.abs(x);
  if (size > 5) return Math.sign(x);
  const t = 1 / (1 + 0.3275911 * size);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-size * size);
  return x < 0 ? tail - 1 : 1 - tail;
}

/** Return probabilities that sum to 1 from logits. */
function softmax(logits) {
  const result = new Float64Array(logits.length);
  let largest = -Infinity, total = 0;
  for (let i = 0; i < logits.length; i += 1) if (logits[i] > largest) largest = logits[i];
  for (let i = 0; i < logits.length; i += 1) total += result[i] = Math.exp(logits[i] - largest);
  for (let i = 0; i < logits.length; i += 1) result[i] /= total;
  return result;
}

/** Add y to x, value by value; x is changed. */
function add(x, y) {
  for (let i = 0; i < x.length; i += 1) x[i] += y[i];
  return x;
}

/** Scale a vector to length 1; zeros stay zeros; x is changed. */
function unit(x) {
  const length = Math.sqrt(dot(x, 0, x, 0, x.length));
  if (length > 1e-12) for (let i = 0; i < x.length; i += 1) x[i] /= length;
  return x;
}
