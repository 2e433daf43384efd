"""Measure how often `compactlm answer` finds the right question or passage: `make bench-answers`.

    python -m benchmarks.bench_answers
    python -m benchmarks.bench_answers --passages 20000
    python -m benchmarks.bench_answers --before ../earlier   # and an earlier version, in a git worktree

Questions: the test part of configs/words/questions.yaml, each asked in other words, in slang or with typing errors, among all questions of
the file. Passages: the questions of the test rows of BoolQ, among their passages and texts of the train split, copied with changes up to
`--passages`. `answer` is the student with the letters that question and match share; the others are nearest neighbours by an embedding.
The figures are written to reports/benchmarks/answers.json. `decisions` has what `answer` decides with its own threshold, when the answers
hold those of the questions, and when they hold only those of the validation questions, so that every answer is wrong.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_classify import varied
from benchmarks.shared.commands import EVERYTHING
from benchmarks.shared.machine import processor
from benchmarks.shared.versions import Version, add_before
from compactlm import CompactLM, artifacts
from compactlm.bert.runtime import prepare
from compactlm.draws import draw_items
from compactlm.evaluation.embeddings.contestants import load_embeddings
from compactlm.evaluation.embeddings.retrieval import make_search
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.evaluation.embeddings.vectors import Embed, cosines
from compactlm.inference.search.knowledge import CANDIDATES, Knowledge
from compactlm.params import read_params
from compactlm.params.suites import read_questions

REPORT = Path("reports/benchmarks/answers.json")
OURS = "answer"
Rows = Sequence[dict[str, str]]


def open_rows(lm: CompactLM, rows: Rows, scratch: Path) -> Knowledge:
    """Write rows to a file of answers and open it."""
    file = scratch / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return lm.knowledge(file, scratch / "index")


def found_by_answer(lm: CompactLM, rows: Rows, asked: Sequence[tuple[str, int]]) -> list[tuple[bool, bool]]:
    """Return for each question whether its row is the best by similarity alone, and by the score of `answer`."""
    with tempfile.TemporaryDirectory(prefix="bench-answers-") as directory:
        known, found = open_rows(lm, rows, Path(directory)), []
        for question, own in asked:
            nearest = known.index.search(known.embedding.embed([question])[0], CANDIDATES)[0]
            found.append((nearest.entry["line"] == own + 1, known.matches(question)[0].entry["line"] == own + 1))
        return found


def found_by_embedding(embed: Embed, questions: Sequence[str], asked: Sequence[tuple[str, int]]) -> list[bool]:
    """Return for each question whether its own is the nearest."""
    nearest = cosines(embed([text for text, _ in asked]), embed(questions)).argmax(axis=1)
    return [int(at) == own for at, (_, own) in zip(nearest, asked, strict=True)]


def decided(known: Sequence[int | None], unknown: Sequence[int | None], own: Sequence[int]) -> dict[str, float]:
    """Return the shares of questions with a right and a wrong answer, and with an answer to a question that has none in the file.

    `known` and `unknown` have the line of each answer, from 1, with and without the question's own row; `own` is this row, from 0.
    """
    right = [line == row + 1 for line, row in zip(known, own, strict=True)]
    wrong = [line is not None and line != row + 1 for line, row in zip(known, own, strict=True)]
    shares = {"right": right, "wrong": wrong, "wrong_without_own": [line is not None for line in unknown]}
    return {name: round(float(np.mean(hits)), 4) for name, hits in shares.items()}


def decisions(version: Version, rows: Rows, asked: Sequence[tuple[str, int]]) -> dict[str, float]:
    """Ask a version the questions, each with its own row in the file and without the rows of all of them; see `decided`."""
    questions, own = [text for text, _ in asked], {row for _, row in asked}
    others = [row for at, row in enumerate(rows) if at not in own]
    known, unknown = (version.run("ask", artifacts.EXPORT, rows=some, questions=questions, threshold=None) for some in (rows, others))
    return decided(known, unknown, [row for _, row in asked])


def found_by_version(version: Version, rows: Rows, asked: Sequence[tuple[str, int]]) -> list[bool]:
    """Return for each question whether its row is the best for `answer` of a version."""
    questions = [text for text, _ in asked]
    lines = version.run("ask", artifacts.EXPORT, rows=rows, questions=questions, threshold=EVERYTHING)
    return [line == own + 1 for line, (_, own) in zip(lines, asked, strict=True)]


def measure_questions(lm: CompactLM, embeddings: dict[str, Embed], versions: dict[str, Version]) -> dict[str, Any]:
    """Return the share of questions found at 1, for each method and each kind of question, and the decisions of each version."""
    read = read_questions()
    listed = [pair for part in (read.test, read.validation) for pairs in part.values() for pair in pairs]
    kinds = [kind for kind, pairs in read.test.items() for _ in pairs]
    questions = [question for question, _ in listed]
    asked = [(text, own) for own, (_, text) in enumerate(listed[: len(kinds)])]
    rows = [{"question": text, "answer": text} for text in questions]
    ours = found_by_answer(lm, rows, asked)
    found = {OURS: [score for _, score in ours], "similarity": [alone for alone, _ in ours]}
    everything = {"tfidf": fit_tfidf(questions), **embeddings}
    found |= {name: found_by_embedding(embed, questions, asked) for name, embed in everything.items()}
    found |= {name: found_by_version(version, rows, asked) for name, version in versions.items() if name != OURS}
    shares = {name: shares_by_kind(hits, kinds) for name, hits in found.items()}
    own = {name: decisions(version, rows, asked) for name, version in versions.items()}
    return {"questions": len(asked), "among": len(questions), "found_at_1": shares, "decisions": own}


def shares_by_kind(hits: Sequence[bool], kinds: Sequence[str]) -> dict[str, float]:
    """Return the share of hits in each kind, and in `all`."""
    some = {kind: [hit for hit, other in zip(hits, kinds, strict=True) if other == kind] for kind in dict.fromkeys(kinds)}
    return {kind: round(float(np.mean(values)), 4) for kind, values in {"all": hits, **some}.items()}


def measure_passages(lm: CompactLM, versions: dict[str, Version], passages: int, questions: int, seed: int) -> dict[str, Any]:
    """Return the share of BoolQ's test questions found at 1 among so many passages."""
    params = read_params().evaluate.embedding
    search = make_search(artifacts.read_documents(artifacts.SPLIT / "test"), params.retrieval, params.passage_words)
    others = [" ".join(row.text.split()[: params.passage_words]) for row in artifacts.read_documents(artifacts.SPLIT / "train")]
    texts = [*search.passages, *varied(others, max(0, passages - len(search.passages)), seed)]
    asked = draw_items(list(zip(search.queries, search.own, strict=True)), questions, "questions of passages", seed, key=repr)
    rows = [{"text": text} for text in texts]
    alone, score = zip(*found_by_answer(lm, rows, asked), strict=True)
    found: dict[str, Sequence[bool]] = {"similarity": alone, OURS: score}
    found |= {name: found_by_version(version, rows, asked) for name, version in versions.items() if name != OURS}
    shares = {name: round(float(np.mean(hits)), 4) for name, hits in found.items()}
    return {"questions": len(asked), "passages": len(texts), "found_at_1": shares}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=500, help="questions to the passages")
    add_before(parser)
    options, params = parser.parse_args(), read_params()
    versions = {OURS: Version("bench-answers", params.threads)}
    if options.before:
        versions["before"] = Version("bench-answers", params.threads, options.before)
    prepare(params.threads, params.seed)
    lm = CompactLM(artifacts.EXPORT, threads=params.threads)
    student, teacher = artifacts.STUDENT / artifacts.EMBEDDING, artifacts.TEACHER / artifacts.BASE
    embeddings = load_embeddings(student, teacher, artifacts.STATIC_TABLE, params.batch_tokens)
    del embeddings["student"]  # measured by `answer`
    kept = artifacts.read_json(REPORT) if REPORT.is_file() else {}
    found = {"questions": measure_questions(lm, embeddings, versions), "passages": kept.get("passages")}
    print(json.dumps(found["questions"], indent=2), flush=True)
    if options.passages:
        found["passages"] = measure_passages(lm, versions, options.passages, options.questions, params.seed)
        print(json.dumps(found["passages"], indent=2))
    artifacts.write_json(REPORT, {"processor": processor(), **found})


if __name__ == "__main__":
    main()
