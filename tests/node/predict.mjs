// Answers what tests/node/javascript.py asks on standard input: {directory, name, task, dtype, texts}.
// One line of JSON a text, or a pair of texts, on standard output: token ids, and what the model says of them.
import { readFileSync } from "node:fs";
import {
  AutoModelForMaskedLM,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  env,
  pipeline,
} from "@huggingface/transformers";

const { directory, name, task, dtype, texts } = JSON.parse(readFileSync(0, "utf8"));
env.allowRemoteModels = false;
env.localModelPath = directory;

const tokenizer = await AutoTokenizer.from_pretrained(name);

function ids(inputs) {
  return Array.from(inputs.input_ids.data, Number);
}

// The likeliest token at each mask, or the likeliest label.
async function predictions(model) {
  return async (inputs) => {
    const { logits } = await model(inputs);
    const width = logits.dims.at(-1);
    const rows = task === "fill-mask" ? ids(inputs).flatMap((id, at) => (id === tokenizer.mask_token_id ? [at] : [])) : [0];
    return rows.map((row) => {
      const scores = logits.data.subarray(row * width, (row + 1) * width);
      return scores.indexOf(Math.max(...scores));
    });
  };
}

// All numbers that a model gives: of the tokens, of the labels, or of starts and then ends.
async function outputs(model) {
  return async (inputs) => {
    const found = await model(inputs);
    const tensors = "start_logits" in found ? [found.start_logits, found.end_logits] : [found.logits];
    return tensors.flatMap((tensor) => Array.from(tensor.data));
  };
}

const HEADS = {
  "text-classification": AutoModelForSequenceClassification,
  "token-classification": AutoModelForTokenClassification,
  "question-answering": AutoModelForQuestionAnswering,
};
let answer;
if (task === "feature-extraction") {
  const extract = await pipeline(task, name, { dtype });
  answer = async (inputs, text) => Array.from((await extract(text, { pooling: "mean", normalize: true })).data);
} else if (task.startsWith("outputs of ")) {
  answer = await outputs(await HEADS[task.slice("outputs of ".length)].from_pretrained(name, { dtype }));
} else {
  const kind = task === "fill-mask" ? AutoModelForMaskedLM : AutoModelForSequenceClassification;
  answer = await predictions(await kind.from_pretrained(name, { dtype }));
}
for (const text of texts) {
  const inputs = Array.isArray(text) ? tokenizer(text[0], { text_pair: text[1] }) : tokenizer(text);
  console.log(JSON.stringify({ ids: ids(inputs), answer: await answer(inputs, text) }));
}
