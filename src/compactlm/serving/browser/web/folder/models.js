import * as ort from "./runtime/ort.js";
// The models of a folder on ONNX Runtime in WebAssembly, in one thread.

class Session {
  /** Take the entry of the model in the header, its session, and the projection of a sentence embedding or null. */
  constructor(model, session, projection) {
    this.model = model;
    this.session = session;
    this.projection = projection;
  }

  /** Return the outputs of the session for one reading; tokens from `second` on are of the second text. */
  async run({ ids, second }, feeds = {}) {
    const tensor = (value) => new ort.Tensor("int64", BigInt64Array.from(ids, (id, at) => BigInt(value(id, at))), [1, ids.length]);
    const types = tensor((id, at) => (second !== null && at >= second ? 1 : 0));
    return this.session.run({ input_ids: tensor((id) => id), attention_mask: tensor(() => 1), token_type_ids: types, ...feeds });
  }
}

class Logits extends Session {
  /** Return the logits of the labels, or those of each token, [tokens, labels]. */
  async answer(reading) {
    return (await this.run(reading)).logits.data;
  }
}

class Questions extends Session {
  /** Return the logits of starts and ends of an answer, [tokens, 2]. */
  async answer(reading) {
    const { start_logits: starts, end_logits: ends } = await this.run(reading);
    return Float32Array.from({ length: 2 * reading.ids.length }, (_, at) => (at % 2 ? ends : starts).data[Math.floor(at / 2)]);
  }
}

class MaskedWords extends Session {
  /** Return the logits of all tokens at one position. */
  async answer(reading, position) {
    return (await this.run(reading, { position: new ort.Tensor("int64", [BigInt(position)], [1]) })).logits.data;
  }
}

class Sentences extends Session {
  /** Return the unit vector of a text; a text without tokens has zeros. */
  async answer(reading) {
    const found = await this.run(reading);
    const states = { last: found.last_hidden_state.data, first: found.first_hidden_state?.data };
    return sentenceVector(this.model.pooling, reading.ids.length, states, this.projection);
  }
}

const KINDS = { task: Logits, tagging: Logits, span: Questions, mlm: MaskedWords, embedding: Sentences };

/** Return the models by name; `progress` gets the share of the bytes that are there. */
async function openModels({ header, base }, progress) {
  const files = [header.runtime, ...header.models.map(({ file }) => file), ...(header.weights ? [header.weights] : [])];
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const count = (bytes) => progress(Math.min((done += bytes) / total, 1));
  const contents = new Map();
  for (const { path } of files) contents.set(path, await download(base, path, count));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = contents.get(header.runtime.path);
  const models = new Map();
  for (const model of header.models) {
    // Weights are turned into float32 once, and not at each answer.
    const options = { executionProviders: ["wasm"], extra: { session: { disable_quant_qdq: "1" } } };
    const session = await ort.InferenceSession.create(new Uint8Array(contents.get(model.file.path)), options);
    models.set(model.name, new KINDS[model.kind](model, session, projectionOf(model, contents.get(header.weights?.path))));
  }
  return models;
}

/** Return the bytes of a file of the folder. */
async function download(base, path, count) {
  const answer = await fetch(new URL(path, base));
  if (!answer.ok) throw new Error(`The file ${path} cannot be loaded (status ${answer.status})`);
  const parts = [];
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    count(value.length);
  }
  return new Blob(parts).arrayBuffer();
}

/** Return the projection of a sentence embedding as a linear layer with the mean that it subtracts, or null. */
function projectionOf({ tensors }, bytes) {
  if (!tensors?.["projection.weight"]) return null;
  const read = ({ shape, at }) => new Float32Array(bytes, at, shape.reduce((a, b) => a * b));
  const [outputs, inputs] = tensors["projection.weight"].shape;
  return { weight: read(tensors["projection.weight"]), bias: null, outputs, inputs, mean: read(tensors["projection.mean"]) };
}
