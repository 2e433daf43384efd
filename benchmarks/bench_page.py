"""Compare both pages of `compactlm page` with ONNX Runtime in Python on test rows: `make bench-page`.

    python -m benchmarks.bench_page --rows 500

The first rows of the test split, in the order of their ids, are read in headless Chromium by the page that is one file and by the page
that is a folder, and by ONNX Runtime in Python, one text at a time in one thread. Python has the weights of the page (rounded), the fp32
file and the int8 file of the export. For labels the difference is that of a probability, for masked words that of the probabilities of
all tokens at the first position, for sentences that of a component of the unit vector. Times include tokenization. Browser and Python take
turns, so that other work on the machine slows both. reports/benchmarks/page.json gets the figures; times depend on the machine.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.page.sites import OpenPage, open_file, open_folder
from benchmarks.shared.machine import processor
from compactlm import CompactLM, artifacts
from compactlm.bert.arrays import softmax
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import EMBEDDING, MLM, find
from compactlm.serving.browser.building import build
from compactlm.serving.browser.packing import pack
from compactlm.serving.browser.reference import write_rounded

REPORT = Path("reports/benchmarks/page.json")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TURN = 25  # texts that one side reads before the other one


def answers(lm: CompactLM, name: str, texts: list[str]) -> tuple[np.ndarray, list[float]]:
    """Return the answer of ONNX Runtime to each text and the milliseconds that it took, tokenization included."""
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
        taken.append(1000 * (time.perf_counter() - start))
    return np.array(found[1:]), taken[1:]


def compare(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Return the largest difference, and the share of rows with the same largest value."""
    same = (found.argmax(axis=1) == expected.argmax(axis=1)).mean()
    return {"greatest_difference": float(np.abs(found - expected).max()), "same_first": float(same)}


def measure_model(pages: dict[str, OpenPage], references: dict[str, CompactLM], name: str, texts: list[str]) -> dict[str, Any]:
    """Return the figures of one model: for each page its time and its difference to each reference, and the references' times."""
    values: dict[str, list[np.ndarray]] = {side: [] for side in [*pages, *references]}
    taken: dict[str, list[float]] = {side: [] for side in values}
    tokens: list[int] = []
    for page in pages.values():
        page.answers(name, texts[:3])
    for start in range(0, len(texts), TURN):
        turn = texts[start : start + TURN]
        for side, page in pages.items():
            rows = page.answers(name, turn)
            raw = np.array([row["values"] for row in rows])
            values[side].append(raw if name == EMBEDDING else softmax(raw.astype(np.float64)))
            taken[side] += [row["taken"] for row in rows]
            tokens += [row["tokens"] for row in rows]
        for side, lm in references.items():
            found, spent = answers(lm, name, turn)
            values[side].append(found)
            taken[side] += spent
    joined = {side: np.concatenate(parts) for side, parts in values.items()}
    figures: dict[str, Any] = {"tokens": statistics.median(tokens), "python": {}}
    for side in references:
        figures["python"][side] = {"ms": statistics.median(taken[side])}
    for side in pages:
        differences = {reference: compare(joined[side], joined[reference]) for reference in references}
        figures[side] = {"ms": statistics.median(taken[side]), "difference": differences}
    return figures


def measure(browser: str, root: Path, texts: list[str]) -> dict[str, Any]:
    """Return the figures of all models in a directory of exported models."""
    content = build(root)
    # Other kinds of task have no answer to one text that could be compared by its values.
    plain = [model for model in content.header["models"] if model.get("activation", "softmax") == "softmax" and not model.get("pair")]
    names = [model["name"] for model in plain if model["kind"] in ("task", EMBEDDING, MLM)]
    with contextlib.ExitStack() as stack:
        rounded = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in names:
            directory = find(root, name, "onnx")
            proto = onnx.load(directory.weights)
            pack(proto)
            write_rounded(directory.path, rounded / name, proto)
        pages = {"file": stack.enter_context(open_file(browser, content)), "folder": stack.enter_context(open_folder(browser, content))}
        references = {
            "rounded": CompactLM(rounded, backend="onnx", threads=1),
            "fp32": CompactLM(root, backend="onnx", threads=1),
            "int8": CompactLM(root, backend="int8", threads=1),
        }
        found: dict[str, Any] = {side: {"bytes": page.size, "seconds_to_ready": page.seconds} for side, page in pages.items()}
        return found | {"models": {name: measure_model(pages, references, name, texts) for name in names}}


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500, help="number of test rows")
    parser.add_argument("--model", type=Path, default=artifacts.EXPORT, help="a directory of exported models")
    parser.add_argument("--data", type=Path, default=artifacts.SPLIT / "test", help="the test split")
    parser.add_argument("--output", type=Path, default=REPORT, help="where the figures are written")
    chosen = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("bench-page: no Chromium on this machine; install Debian's package chromium")
    texts = [document.text for document in artifacts.read_documents(chosen.data)[: chosen.rows]]
    figures = {"rows": len(texts), "processor": processor(), **measure(browser, chosen.model, texts)}
    artifacts.write_json(chosen.output, figures)
    for side in ("file", "folder"):
        print(f"{side}: {figures[side]['bytes'] / 1e6:.1f} MB, ready in {figures[side]['seconds_to_ready']:.1f} s")
    for name, one in figures["models"].items():
        python = ", ".join(f"{reference} {found['ms']:.2f} ms" for reference, found in one["python"].items())
        print(f"{name}, {one['tokens']:.0f} tokens: Python {python}")
        for side in ("file", "folder"):
            told = "; ".join(
                f"{reference} {found['greatest_difference']:.2g} (same first {found['same_first']:.1%})"
                for reference, found in one[side]["difference"].items()
            )
            print(f"  {side}: {one[side]['ms']:.2f} ms; greatest difference to {told}")


if __name__ == "__main__":
    try:
        main()
    except CompactLMError as error:
        sys.exit(f"bench-page: {error}")
