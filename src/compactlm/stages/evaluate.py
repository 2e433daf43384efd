"""Compare teacher and student on the same test rows; no other stage compares models on these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.distillation import models
from compactlm.distillation.runtime import prepare
from compactlm.evaluation.comparison import ROLES, Answers, compare_quality
from compactlm.evaluation.language_model import LanguageModel, ask, compare_language_models
from compactlm.evaluation.quality import compare
from compactlm.evaluation.reading import Reader
from compactlm.evaluation.report import finite
from compactlm.evaluation.robustness import robustness
from compactlm.evaluation.slices import count_words, make_slices, slice_accuracy, words_of, worst_slice
from compactlm.params import Params
from compactlm.stages.run import run
from compactlm.student.building import count_parameters

DIRECTORIES = {"teacher": artifacts.TEACHER, "student": artifacts.STUDENT}


def _lengths(params: Params) -> dict[str, int]:
    return {"teacher": params.teacher.maximum_length, "student": params.tokenize.maximum_length}


def _language_models(params: Params) -> dict[str, LanguageModel]:
    found = {}
    for role, directory in DIRECTORIES.items():
        model, _ = models.load_masked_lm(directory / artifacts.MLM)
        found[role] = LanguageModel(model, models.load_tokenizer(directory / artifacts.MLM), _lengths(params)[role])
    return found


def _readers(params: Params, task: str) -> dict[str, Reader]:
    found = {}
    for role, directory in DIRECTORIES.items():
        model, tokenizer = models.load_classifier(directory / task), models.load_tokenizer(directory / task)
        found[role] = Reader(model, tokenizer, _lengths(params)[role], params.batch_tokens, f"{role}, {task}")
    return found


def _answers(readers: dict[str, Reader], rows: list[Document], labels: list[str]) -> Answers:
    texts = tuple(row.text for row in rows)
    return Answers(
        ids=tuple(row.id for row in rows),
        texts=texts,
        sources=tuple(row.source for row in rows),
        expected=np.array([labels.index(str(row.label)) for row in rows], dtype=np.int64),
        probabilities={role: reader.probabilities(texts) for role, reader in readers.items()},
    )


def _seen(texts: Iterable[str]) -> dict[str, int]:
    """Return how often the train split has each word of these texts."""
    train = artifacts.read_table(artifacts.SPLIT / "train")["text"].to_pylist()
    return count_words(train, {word for text in texts for word in words_of(text)})


def _task(params: Params, answers: Answers, readers: dict[str, Reader], seen: dict[str, int]) -> dict[str, object]:
    """Return all figures of a task; each key is a section of its own."""
    evaluate, seed = params.evaluate, params.seed
    slices = slice_accuracy(answers, make_slices(answers.texts, answers.sources, evaluate.slices, seen))
    return {
        **compare(answers.expected.tolist(), *(answers.predicted(role).tolist() for role in ROLES)),
        "quality": compare_quality(answers, evaluate.resamples, evaluate.calibration_bins, seed),
        "slices": slices,
        "worst_slice": worst_slice(slices),
        "robustness": robustness(answers, readers, evaluate.robustness, evaluate.resamples, seed),
    }


def _write_predictions(answers: dict[str, Answers], params: Params) -> None:
    rows: list[dict[str, Any]] = []
    for task, one in answers.items():
        labels = params.tasks[task].labels
        for row, (name, label) in enumerate(zip(one.ids, one.expected, strict=True)):
            said = {role: one.probabilities[role][row].tolist() for role in ROLES}
            rows.append({"id": name, "task": task, "label": labels[label], **said})
    with artifacts.replacing(artifacts.PREDICTIONS) as unfinished:
        artifacts.write_table(unfinished, rows, artifacts.PREDICTION_SCHEMA)


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    language_models = _language_models(params)
    sizes: dict[str, list[int]] = {"teacher": [], "student": [count_parameters(language_models["student"].model)]}
    words = ask(language_models, test, params.evaluate, params.batch_tokens, params.seed)
    metrics: dict[str, Any] = {"mlm": compare_language_models(words, test, params.evaluate.resamples, params.seed), "tasks": {}}
    answers: dict[str, Answers] = {}
    seen = _seen(row.text for row in test if row.task is not None)
    for name, task in params.tasks.items():
        readers = _readers(params, name)
        answers[name] = _answers(readers, [row for row in test if row.task == name], task.labels)
        metrics["tasks"][name] = _task(params, answers[name], readers, seen)
        for role, reader in readers.items():
            sizes[role].append(count_parameters(reader.model))
    # The student is counted in its largest form and the teacher in its smallest, so the ratio flatters nobody.
    size, teacher_size = max(sizes["student"]), min(sizes["teacher"])
    metrics["size"] = {"student_parameters": size, "teacher_parameters": teacher_size, "ratio": size / teacher_size}
    _write_predictions(answers, params)
    artifacts.write_json(artifacts.METRICS / "evaluate.json", finite(metrics))


if __name__ == "__main__":
    run("evaluate", main)
