"""The summary in a few sentences, and the numbers that readers look for first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from compactlm.fairness.gate import Gate
from compactlm.fairness.outcomes import not_audited
from compactlm.figures.figure import Status
from compactlm.figures.metric_names import metric_name, shown
from compactlm.figures.numbers import NOT_JUDGED, capital, listed, percent, plain, probability, status, words
from compactlm.report import embedding_figures
from compactlm.report.findings import Findings


@dataclasses.dataclass(frozen=True)
class Key:
    """A number with its name and a comparison. `machine` marks a number that depends on the machine."""

    name: str
    value: str
    against: str
    machine: bool = False


def sentences(found: Findings) -> list[str]:
    """Return the sentences of the summary: quality and size, the gates, robustness, and speed."""
    size = found.metrics["evaluate"]["size"]
    kept = listed([_kept(found, name, task) for name, task in found.tasks.items()])
    cost = f"{percent(size['ratio'])} of its parameters and {percent(size['student_bytes'] / size['teacher_bytes'])} of its bytes"
    understood = embedding_figures.sentence(found)
    said = [
        *([understood] if understood else []),
        f"The student keeps {kept} with {cost}.",
        *(f"{capital(gate_sentence(gate))}." for gate in gates(found)),
        *(_robust(found, name, task) for name, task in found.tasks.items()),
    ]
    faster = speedup(found)
    if faster:
        said.append(f"At batch size {faster[0]}, it is {plain(faster[1], 1)} times as fast as the teacher on the machine of this run.")
    return said


def _kept(found: Findings, name: str, task: dict[str, Any]) -> str:
    retention, metric = task["quality"]["retention"], found.params.tasks[name].metric
    figure, show = metric_name(metric), shown(metric)
    compared = f"{show(task['student'])} against {show(task['teacher'])}"
    if not retention.judged:
        return f"{'an' if figure[0] in 'aeF' else 'a'} {figure} on {words(name)} that is {status(retention)} ({compared})"
    return f"{percent(retention.value)} of the teacher's {figure} on {words(name)} ({compared}; {difference(task['quality'])})"


def difference(quality: dict[str, Any]) -> str:
    """Say whether the difference of the two models is significant."""
    test = quality.get("mcnemar") or quality["bootstrap"]
    p = f", {probability(test['p'])}" if "p" in test else ""
    return f"{'a' if test['significant'] else 'no'} significant difference{p}"


def gates(found: Findings) -> list[Gate]:
    """Return the data gate and the model gate, each over all tasks."""
    data = {task: audit["attributes"] for task, audit in found.metrics["bias-audit"].items()}
    return [Gate.of("data", data), Gate.of("model", found.fairness)]


def gate_sentence(gate: Gate) -> str:
    """Say what a gate found, without a capital letter and a full stop."""
    name, _, rest = gate.headline().rstrip(".").partition(": ")
    return f"the {name[0].lower()}{name[1:]} is {rest}"


def not_compared(found: Findings) -> list[str]:
    """Return a sentence for each task with protected attributes whose answers cannot be compared between groups."""
    protected, audited = found.params.bias_audit.protected, found.fairness.get("tasks", {})
    return [
        f"{capital(words(name))} has no audit of the models, because {not_audited(task)}."
        for name, task in found.params.tasks.items()
        if protected.get(name) and not audited.get(name)
    ]


def _robust(found: Findings, name: str, task: dict[str, Any]) -> str:
    figure = metric_name(found.params.tasks[name].metric)
    kept = {role: found["kept"] for role, found in task["robustness"]["all"].items()}
    if not all(figure.judged for figure in kept.values()):
        return f"Its robustness on {words(name)} is {NOT_JUDGED}."
    student, teacher = (percent(kept[role].value) for role in ("student", "teacher"))
    return f"With typing errors and other perturbations, it keeps {student} of its {figure} on {words(name)}; the teacher keeps {teacher}."


def speedup(found: Findings) -> tuple[int, float] | None:
    """Return the smallest timed batch size, and the student's speed relative to the teacher's at this size."""
    teacher, student = (found.speed.get(role, {}) for role in ("teacher", "student"))
    for batch in sorted(found.params.evaluate.timings.batches):
        name = f"batch_{batch}"
        if name in teacher and name in student:
            return batch, teacher[name]["milliseconds"] / student[name]["milliseconds"]
    return None


def _understood(found: Findings) -> Iterator[Key]:
    measured = embedding_figures.embeddings(found)
    for key, name in (("found_at_1", "Questions that find their passage"), ("spearman", "Spearman with the teacher")):
        if key in measured.get("student", {}):
            show, others = embedding_figures.shown(key), [name for name in ("teacher", "static") if name in measured]
            against = ", ".join(f"{embedding_figures.CONTESTANTS[other]} {show(measured[other][key].value)}" for other in others)
            yield Key(name, show(measured["student"][key].value), against)


def keys(found: Findings) -> list[Key]:
    """Return the numbers below the summary."""
    evaluate = found.metrics["evaluate"]
    size, mlm = evaluate["size"], evaluate["mlm"]
    numbers = [*_understood(found)]
    for name, task in found.tasks.items():
        kept = percent(task["quality"]["retention"].value)
        metric = found.params.tasks[name].metric
        show = shown(metric)
        numbers.append(
            Key(f"{capital(metric_name(metric))} kept, {words(name)}", kept, f"{show(task['student'])} of {show(task['teacher'])}")
        )
    own = percent(mlm.get("student_top1"))
    if "teacher_top1" in mlm:
        kept = percent(mlm["quality"]["retention"].value)
        numbers.append(Key("Masked words kept", kept, f"{own} of {percent(mlm['teacher_top1'])} top 1"))
    else:
        against = (
            f"first choice is right; n-grams {percent(mlm.get('ngram_top1'))}, most frequent word {percent(mlm.get('frequency_top1'))}"
        )
        numbers.append(Key("Masked words", own, against))
    numbers.append(Key("Parameters", percent(size["ratio"]), f"{size['student_parameters']:,} of {size['teacher_parameters']:,}"))
    work = size["student_multiply_adds_a_token"] / size["teacher_multiply_adds_a_token"]
    numbers.append(Key("Multiply-adds", percent(work), "per token, of the teacher's"))
    for gate in gates(found):
        counts = [f"{gate.count(one):,} {one.words}" for one in (Status.VIOLATED, Status.UNDECIDED, Status.NOT_JUDGED)]
        numbers.append(Key(f"Fairness gate, {gate.kind}", gate.status.words, f"{', '.join(counts)}, of {len(gate.checks):,} checks"))
    faster = speedup(found)
    if faster:
        numbers.append(
            Key("Speed", f"{plain(faster[1], 1)} times", f"the teacher's at batch size {faster[0]}, on one machine", machine=True)
        )
    return numbers
