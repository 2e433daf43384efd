"""Compare teacher and student on the same test rows; no other stage compares models on these."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.distillation import models
from compactlm.distillation.runtime import prepare
from compactlm.evaluation.masked_words import choose_words, top1
from compactlm.evaluation.quality import compare, retention
from compactlm.evaluation.report import finite
from compactlm.params import Params
from compactlm.stages.run import run
from compactlm.student.building import count_parameters
from compactlm.student.tokenization import encode

ROLES = {"teacher": artifacts.TEACHER, "student": artifacts.STUDENT}


def _lengths(params: Params) -> dict[str, int]:
    return {"teacher": params.teacher.maximum_length, "student": params.tokenize.maximum_length}


def _masked_words(params: Params, rows: list[Document]) -> dict[str, float]:
    tokenizers = {role: models.load_tokenizer(directory / artifacts.MLM) for role, directory in ROLES.items()}
    texts = {row.id: row.text for row in rows}
    words = choose_words(texts, list(tokenizers.values()), params.evaluate.mlm_words, params.seed)
    found = {}
    for role, directory in ROLES.items():
        model, _ = models.load_masked_lm(directory / artifacts.MLM)
        found[role] = top1(model, tokenizers[role], words, _lengths(params)[role], params.batch_tokens, f"{role}, masked words")
    return {
        "rows": len(words),
        "teacher_top1": found["teacher"],
        "student_top1": found["student"],
        "retention": retention(found["student"], found["teacher"]),
    }


def _task(params: Params, name: str, rows: list[Document]) -> tuple[dict[str, float], list[int]]:
    labels = params.tasks[name].labels
    expected = [labels.index(str(row.label)) for row in rows]
    predictions, sizes = {}, []
    for role, directory in ROLES.items():
        model = models.load_classifier(directory / name)
        tokenizer = models.load_tokenizer(directory / name)
        sequences = encode(tokenizer, [row.text for row in rows], _lengths(params)[role])
        logits = models.classify(model, sequences, params.batch_tokens, f"{role}, {name}")
        predictions[role] = logits.argmax(dim=1).tolist()
        sizes.append(count_parameters(model))
    return compare(expected, predictions["teacher"], predictions["student"]), sizes


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    mlm, _ = models.load_masked_lm(artifacts.STUDENT / artifacts.MLM)
    student_sizes, teacher_sizes = [count_parameters(mlm)], []
    metrics: dict[str, object] = {"mlm": _masked_words(params, test)}
    tasks = {}
    for name in params.tasks:
        tasks[name], (teacher_size, student_size) = _task(params, name, [row for row in test if row.task == name])
        teacher_sizes.append(teacher_size)
        student_sizes.append(student_size)
    metrics["tasks"] = tasks
    # The student is counted in its largest form and the teacher in its smallest, so the ratio flatters nobody.
    size, teacher_size = max(student_sizes), min(teacher_sizes)
    metrics["size"] = {"student_parameters": size, "teacher_parameters": teacher_size, "ratio": size / teacher_size}
    artifacts.write_json(artifacts.METRICS / "evaluate.json", finite(metrics))


if __name__ == "__main__":
    run("evaluate", main)
