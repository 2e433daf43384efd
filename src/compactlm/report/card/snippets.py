"""Examples of use for the card. They are run as a reader would run them, and the card shows their output."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from compactlm.artifacts import EXPORT, MLM, STUDENT, Document
from compactlm.draws import draw_items
from compactlm.errors import CompactLMError
from compactlm.params import Task
from compactlm.tasks import kind_of

SHORT = 90  # characters that fit on a line
EXAMPLES = 2
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
# Reads codes as JSON and writes the output of each as a line of JSON.
RUN_ALL = """
import contextlib, io, json, sys
for code in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(code, {"__name__": "__main__"})
    print(json.dumps(output.getvalue()), flush=True)
"""


@dataclasses.dataclass(frozen=True)
class Snippet:
    """An example and its output."""

    title: str
    code: str
    output: str


def short_rows(rows: Sequence[Document], seed: int, count: int = EXAMPLES) -> list[Document]:
    """Return random rows that fit on a line, drawn by (seed, id). If none fits, return any rows."""
    fitting = [row for row in rows if len(row.text) <= SHORT] or list(rows)
    return draw_items(fitting, count, "example", seed, key=lambda row: row.id)


def classifying(task: str, rows: Sequence[Document], seed: int) -> str:
    """Return an example that classifies test rows."""
    texts = "\n".join(f"    {' '.join(row.text.split())!r}," for row in short_rows(rows, seed))
    return f"""from transformers import pipeline

classify = pipeline("text-classification", model="{(STUDENT / task).as_posix()}")
texts = [
{texts}
]
for answer in classify(texts):
    print(answer["label"], round(answer["score"], 3))
"""


def answering(task: str, settings: Task, rows: Sequence[Document], seed: int) -> str:
    """Return an example that answers test rows of a task with transformers."""
    kind = kind_of(settings)
    if kind.name == "classification" and not settings.pair:
        return classifying(task, rows, seed)
    [row] = short_rows(rows, seed, 1)
    directory, text, pair = (STUDENT / task).as_posix(), " ".join(row.text.split()), " ".join((row.pair or "").split())
    if kind.architecture == "BertForTokenClassification":
        return f"""from transformers import pipeline

tag = pipeline("token-classification", model="{directory}", aggregation_strategy="first")
for entity in tag({text!r}):
    print(entity["word"], entity["entity_group"], round(float(entity["score"]), 3))
"""
    if kind.architecture == "BertForQuestionAnswering":
        return f"""import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer, model = AutoTokenizer.from_pretrained("{directory}"), AutoModelForQuestionAnswering.from_pretrained("{directory}")
read = tokenizer({pair!r}, {text!r}, truncation="only_second", max_length=512, return_tensors="pt")
with torch.inference_mode():
    found = model(**read)
start, end = int(found.start_logits.argmax()), int(found.end_logits.argmax())
print(tokenizer.decode(read["input_ids"][0, start : end + 1]) if 0 < start <= end else "no answer")
"""
    given = {"text": text, **({"text_pair": pair} if settings.pair else {})}
    more = ', function_to_apply="none"' if kind.problem_type == "regression" else ", top_k=None" if kind.name == "multilabel" else ""
    return f"""from transformers import pipeline

answer = pipeline("text-classification", model="{directory}"{more})
print(answer([{given!r}], truncation=True))
"""


def filling() -> str:
    """Return an example that fills a masked word of a sentence of everyday words."""
    return f"""from transformers import pipeline

fill = pipeline("fill-mask", model="{(STUDENT / MLM).as_posix()}")
for answer in fill("This is one of the best [MASK] of the year.", top_k=5):
    print(answer["token_str"], round(answer["score"], 3))
"""


def without_torch(task: str, rows: Sequence[Document], seed: int) -> str:
    """Return an example that classifies a test row with ONNX Runtime."""
    [row] = short_rows(rows, seed, 1)
    return f"""from compactlm import CompactLM

model = CompactLM("{EXPORT.as_posix()}")
answer = model.classify({" ".join(row.text.split())!r}, task="{task}")
print(answer.label, round(answer.probability, 3))
"""


def comparing() -> str:
    """Return an example that compares a question with sentences of the same meaning, the same words, and neither."""
    return f"""from compactlm import CompactLM

model = CompactLM("{EXPORT.as_posix()}")
for text in ["I want a refund.", "How do I get to the station?", "It rained all day."]:
    print(round(model.compare("How do I get my money back?", text).similarity, 2), text)
"""


def run_snippets(examples: Sequence[tuple[str, str]], threads: int) -> list[Snippet]:
    """Run examples (titles with code) one after another in a new process, without a network.

    They share the process because its imports take most of the time. Each example has its own namespace.

    Raises:
        CompactLMError: an example failed.
    """
    environment = os.environ | OFFLINE | {"OMP_NUM_THREADS": str(threads)}
    codes = json.dumps([code for _, code in examples])
    done = subprocess.run([sys.executable, "-c", RUN_ALL], input=codes, capture_output=True, text=True, check=False, env=environment)
    outputs = [json.loads(line) for line in done.stdout.splitlines()]
    if len(outputs) < len(examples):
        last = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        title = examples[len(outputs)][0]
        raise CompactLMError(f"the example {title!r} of the model card failed ({last[:200]}); run `dvc repro` to restore models/")
    return [Snippet(title, code.strip(), output.strip()) for (title, code), output in zip(examples, outputs, strict=True)]
