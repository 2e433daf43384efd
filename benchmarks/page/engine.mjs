// Run the engine of a page in Node.js: read {script, header, weights, texts} as JSON, and answer in JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const question = JSON.parse(readFileSync(0, "utf8"));
const { Engine, WordPiece, openModels } = runInThisContext(`(() => { ${question.script}; return { Engine, WordPiece, openModels }; })()`);
const answer = {};
if (question.characters) {
  const tokenizer = new WordPiece(question.characters);
  answer.characters = {};
  for (let code = 0; code < 0x110000; code += 1) {
    if (code < 0xd800 || code > 0xdfff) {
      const words = tokenizer.words(`a${String.fromCodePoint(code)}b`, 0).map(({ text }) => text);
      if (words.join() !== "ab" || words.length > 1) answer.characters[code] = words;
    }
  }
} else {
  const file = readFileSync(question.weights);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const header = JSON.parse(readFileSync(question.header, "utf8"));
  const engine = new Engine(header, openModels({ header, bytes }));
  try {
    answer.check = await engine.check();
    answer.rows = [];
    for (const { action = "values", ...request } of question.texts) answer.rows.push(await engine[action](request, () => false, () => {}));
  } catch (error) {
    answer.refused = error.message;
  }
}
console.log(JSON.stringify(answer));
