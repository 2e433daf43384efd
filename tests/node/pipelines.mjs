// Answers with the pipelines of transformers.js what tests/node/test_kinds.py asks on standard input: {directory, name, task, dtype, inputs}.
// An input is the list of the arguments of the pipeline. One line of JSON an input on standard output.
import { readFileSync } from "node:fs";
import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from "@huggingface/transformers";

const { directory, name, task, dtype, inputs } = JSON.parse(readFileSync(0, "utf8"));
env.allowRemoteModels = false;
env.localModelPath = directory;

// The pipeline of text classification reads one text and gives probabilities, so pairs and numbers need the model itself.
async function logits() {
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, { dtype });
  return async (text, pair) => Array.from((await model(tokenizer(text, { text_pair: pair }))).logits.data);
}

const answer = task === "logits" ? await logits() : await pipeline(task, name, { dtype });
for (const input of inputs) {
  console.log(JSON.stringify(await answer(...input)));
}
