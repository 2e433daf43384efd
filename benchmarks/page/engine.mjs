// Run the engine of a page in Node.js: read {script, header, weights, texts} as JSON, and answer in JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const question = JSON.parse(readFileSync(0, "utf8"));
const { Engine, WordPiece } = runInThisContext(`(() => { ${question.script}; return { Engine, WordPiece }; })()`);
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
  const engine = new Engine(JSON.parse(readFileSync(question.header, "utf8")), file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  try {
    answer.check = engine.check();
    answer.rows = question.texts.map(({ name, text, position }) => {
      const { ids } = engine.read(name, text);
      const start = performance.now();
      const values = [...engine.models.get(name).answer(ids, position ?? ids.indexOf(engine.tokenizer(name).mask))];
      return { ids, values, taken: performance.now() - start };
    });
  } catch (error) {
    answer.refused = error.message;
  }
}
console.log(JSON.stringify(answer));
