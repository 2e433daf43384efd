"""Compare the engine of `compactlm page` with ONNX Runtime on test rows: `make bench-page`.

    python -m benchmarks.bench_page --rows 500

The first rows of the test split, in the order of their ids, are read by the JavaScript of the page in Node.js and by ONNX Runtime with the
fp32 and the int8 file of the export, one text at a time in one thread. For labels the difference is that of a probability, for masked words
that of the probabilities of the tokens at the first position, for sentences that of a component of the unit vector.
reports/benchmarks/page.json gets the figures; times depend on the machine.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page.node import run_content
from benchmarks.shared.machine import processor
from compactlm import CompactLM, artifacts
from compactlm.bert.arrays import softmax
from compactlm.inference.runtime.directories import EMBEDDING, MLM
from compactlm.serving.browser.building import build
from compactlm.serving.browser.rendering import render

REPORT = Path("reports/benchmarks/page.json")


def answers(lm: CompactLM, name: str, texts: list[str]) -> tuple[np.ndarray, list[float]]:
    """Return the answer of ONNX Runtime to each text and the seconds that it took, tokenization included."""
    found, taken = [], []
    if name == EMBEDDING:
        lm.embedding.truncate = True
    model = lm.mlm if name == MLM else lm.embedding.model if name == EMBEDDING else lm.task(name)
    for text in ["warm-up", *texts]:
        start = time.perf_counter()
        if name == EMBEDDING:
            found.append(lm.embed([text])[0])
        else:
            batch = model.batch([model.tokenizer.cut(model.tokenizer.encode([text])[0])])
            where = np.zeros_like(batch.input_ids, dtype=bool)
            where[0, 1] = True
            logits = model.runner.masked_logits(batch, where) if name == MLM else model.runner.task_logits(batch)
            found.append(softmax(logits)[0])
        taken.append(time.perf_counter() - start)
    return np.array(found[1:]), taken[1:]


def compare(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Return the largest difference, and the share of rows with the same largest value."""
    same = (found.argmax(axis=1) == expected.argmax(axis=1)).mean()
    return {"greatest_difference": float(np.abs(found - expected).max()), "same_first": float(same)}


def measure(root: Path, texts: list[str]) -> dict[str, Any]:
    """Return the figures of each model in a directory of exported models."""
    content = build(root)
    names = [model["name"] for model in content.header["models"]]
    with tempfile.TemporaryDirectory() as folder:
        asked = [{"name": name, "text": text, "position": 1} for name in names for text in texts]
        engine = run_content(content, Path(folder), asked)
    if "refused" in engine:
        raise SystemExit(engine["refused"])
    figures: dict[str, Any] = {"self_check": engine["check"]["largest"], "page_bytes": len(render(content, "page").encode()), "models": {}}
    for number, name in enumerate(names):
        rows = engine["rows"][number * len(texts) : (number + 1) * len(texts)]
        values = np.array([row["values"] for row in rows])
        found = values if name == EMBEDDING else softmax(values)
        one: dict[str, Any] = {"browser_ms": statistics.median(row["taken"] for row in rows)}
        for backend in ("onnx", "int8"):
            expected, taken = answers(CompactLM(root, backend=backend, threads=1), name, texts)
            one[backend] = {**compare(found, expected), "ms": 1000 * statistics.median(taken)}
        one["tokens"] = statistics.median(len(row["ids"]) for row in rows)
        figures["models"][name] = one
    return figures


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500, help="number of test rows")
    parser.add_argument("--model", type=Path, default=artifacts.EXPORT, help="a directory of exported models")
    parser.add_argument("--data", type=Path, default=artifacts.SPLIT / "test", help="the test split")
    parser.add_argument("--output", type=Path, default=REPORT, help="where the figures are written")
    chosen = parser.parse_args()
    texts = [document.text for document in artifacts.read_documents(chosen.data)[: chosen.rows]]
    figures = {"rows": len(texts), "processor": processor(), **measure(chosen.model, texts)}
    artifacts.write_json(chosen.output, figures)
    for name, one in figures["models"].items():
        print(
            f"{name}: greatest difference {one['onnx']['greatest_difference']:.5f} to fp32, "
            f"{one['int8']['greatest_difference']:.5f} to int8; "
            f"same first {one['onnx']['same_first']:.3f}; {one['tokens']:.0f} tokens in {one['browser_ms']:.1f} ms, "
            f"ONNX Runtime {one['onnx']['ms']:.1f} ms (fp32), {one['int8']['ms']:.1f} ms (int8)"
        )


if __name__ == "__main__":
    main()
