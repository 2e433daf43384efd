"""Compare the student's sentence embedding with others on the test rows of the last run: `make bench-embedding`.

    python -m benchmarks.bench_embedding                # 50 draws of few labelled rows
    python -m benchmarks.bench_embedding --draws 5
    python -m benchmarks.bench_embedding --before ../earlier   # and an earlier version, in a git worktree

The contestants are the student in fp32 and int8, its teacher, static tables of the teacher with 128 and 256 components, TF-IDF, and
WordLlama (a static table whose weights are in its package). All have the same texts and the same draws. The figures are written to
reports/benchmarks/embedding.json, which the report page shows.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embedding.wordllama import load_wordllama, wordllama_bytes
from benchmarks.shared import harness
from benchmarks.shared.versions import Version, add_before
from compactlm import CompactLM, artifacts
from compactlm.bert.runtime import prepare
from compactlm.evaluation.embeddings.comparing import TEACHER, compare_embeddings
from compactlm.evaluation.embeddings.contestants import load_encoder, load_static_table
from compactlm.evaluation.embeddings.context import ALL
from compactlm.evaluation.embeddings.material import Material, make_material
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.evaluation.embeddings.vectors import Cached, Embed, Texts
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import write_figures
from compactlm.figures.numbers import size, stated
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.params import Params
from compactlm.params.suites import read_suite
from compactlm.report.embedding_figures import BENCHMARK, figure_title, shown

COMMAND = "bench-embedding"
REPORT = Path("reports/benchmarks/embedding")
PACKAGES = ("compactlm", "torch", "onnxruntime", "scikit-learn", "wordllama")
TABLES = (128, 256)  # components of the static tables
FLOAT = 4  # bytes
METHOD = """
Test rows of seed {seed}, preset {preset}. Retrieval: {queries:,} questions and {passages:,} passages, each cut to {words} words.
Spearman: all pairs of {sentences:,} sentences. Accuracy: logistic regression over the vectors of few train rows per label, the mean of
{draws} draws, which are the same for all. Context: the triples of configs/words/context; a tie counts as half. The size is that of the
weights. TF-IDF has its vocabulary and frequencies from the train rows.
"""


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=50, help="draws of few labelled rows")
    add_before(parser)
    return parser.parse_args()


def weight_bytes(directory: Path) -> int:
    """Return the bytes of a model's weights, those of its modules included."""
    return sum(path.stat().st_size for path in directory.rglob("*.safetensors"))


def contestants(params: Params, train: Texts) -> dict[str, tuple[Embed, int | None]]:
    """Return each embedding with the bytes of its weights."""
    student, teacher = artifacts.STUDENT / artifacts.EMBEDDING, artifacts.TEACHER / artifacts.BASE
    encoder, of_student = load_encoder(student, params.batch_tokens, "student")
    exported = CompactLM(artifacts.EXPORT, backend="int8", threads=params.threads)
    found: dict[str, tuple[Embed, int | None]] = {
        TEACHER: (load_encoder(teacher, params.batch_tokens, TEACHER)[1], weight_bytes(teacher)),
        "student": (of_student, weight_bytes(student)),
        "student, int8": (Cached(exported.embed), (artifacts.EXPORT / artifacts.EMBEDDING / INT8_FILE).stat().st_size),
    }
    tokens = len(encoder.tokenizer)
    for width in TABLES:
        found[f"static table, {width} components"] = (load_static_table(artifacts.STATIC_TABLE, encoder, width), tokens * width * FLOAT)
    found["WordLlama"] = (Cached(load_wordllama()), wordllama_bytes())
    found["TF-IDF"] = (fit_tfidf(train), None)
    return found


def embed_before(version: Version, texts: Texts) -> tuple[Embed, int]:
    """Return the embedding of an earlier version, which knows the vectors of these texts, with the bytes of its fp32 graph."""
    with tempfile.TemporaryDirectory(prefix="bench-embedding-") as scratch:
        output = Path(scratch) / "vectors.npy"
        version.run("embed", artifacts.EXPORT, texts=list(texts), output=str(output))
        vectors = dict(zip(texts, np.load(output), strict=True))
    graph = version.checkout / artifacts.EXPORT / artifacts.EMBEDDING / FLOAT_FILE
    return (lambda some: np.stack([vectors[text] for text in some])), graph.stat().st_size


def measure(embeddings: dict[str, tuple[Embed, int | None]], material: Material, resampler: Resampler) -> dict[str, Any]:
    """Return the bytes and the figures of each embedding; `context` is its share of right decisions over all kinds."""
    compared = compare_embeddings({name: embed for name, (embed, _) in embeddings.items()}, {}, material, resampler)
    context = compared["context"].get(ALL, {})
    return {
        name: {"bytes": weights, "figures": {**compared[name], **({"context": context[name]} if name in context else {})}}
        for name, (_, weights) in embeddings.items()
    }


def rows(measured: dict[str, Any]) -> list[list[str]]:
    """Return the table: one row for each embedding."""
    return [
        [name, size(one["bytes"]) if one["bytes"] else "", *(_cell(one["figures"].get(key), shown(key)) for key in BENCHMARK)]
        for name, one in measured.items()
    ]


def _cell(figure: Any, show: Callable[[float], str]) -> str:
    return "" if figure is None else stated(figure, show)


def main() -> None:
    """Measure, print and write."""
    options, params = arguments(), harness.params_of(COMMAND)
    for path in (artifacts.STUDENT / artifacts.EMBEDDING, artifacts.STATIC_TABLE, artifacts.EXPORT / artifacts.EMBEDDING / INT8_FILE):
        if not path.exists():
            sys.exit(f"{COMMAND}: {path} is missing; run `dvc repro` with a teacher that is a sentence encoder")
    prepare(params.threads, params.seed)
    train, test = (artifacts.read_documents(artifacts.SPLIT / split) for split in ("train", "test"))
    settings = params.evaluate.embedding.model_copy(update={"draws": options.draws})
    suites = {kind: read_suite(kind) for kind in settings.context}
    material = make_material(settings, train, test, params.tasks, suites, params.seed)
    embeddings = contestants(params, [row.text for row in train])
    if options.before:
        embeddings["earlier version"] = embed_before(Version(COMMAND, params.threads, options.before), material.texts())
    measured = measure(embeddings, material, Resampler.of(params.bootstrap, params.seed))
    about: dict[str, Any] = {"seed": params.seed, "preset": params.preset, "draws": options.draws}
    counts = {"queries": len(material.search.queries), "passages": len(material.search.passages), "sentences": len(material.sentences)}
    heads = ["embedding", "size", *map(figure_title, BENCHMARK)]
    found = harness.show(harness.new_console(200), "Sentence embeddings", heads, rows(measured), ["embedding"])
    method = METHOD.format(words=settings.passage_words, **about, **counts).strip()
    versions = harness.named(harness.versions(PACKAGES))
    sections = ["# Sentence embeddings next to others", f"{versions}.", found, f"## How it was measured\n\n{method}"]
    harness.write_report(REPORT, sections, {**about, **counts, "order": list(measured), "contestants": write_figures(measured)})


if __name__ == "__main__":
    main()
