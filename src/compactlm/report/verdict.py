"""The verdict in two sentences, and the few numbers that everyone looks for first."""

from __future__ import annotations

import dataclasses
from typing import Any

from compactlm.report.findings import Findings
from compactlm.report.numbers import NOT_JUDGED, TOO_FEW, listed, percent, plain, probability, words
from compactlm.report.standing import together

SIGNIFICANT = 0.05


@dataclasses.dataclass(frozen=True)
class Key:
    """A number with its name and what it is held against."""

    name: str
    value: str
    against: str
    machine: bool = False


def sentences(found: Findings) -> list[str]:
    """Return the verdict: what is kept at what size, and whether it is as fair, robust and fast as it should be."""
    size = found.metrics["evaluate"]["size"]
    kept = listed([_kept(name, task) for name, task in found.tasks.items()])
    room = f"{percent(size['ratio'])} of its parameters and {percent(size['student_bytes'] / size['teacher_bytes'])} of its bytes"
    first = f"The student keeps {kept} with {room}."
    others = [
        *(gate_sentence(name, gate) for name, gate in gates(found).items()),
        *(filter(None, (_robust(name, task) for name, task in found.tasks.items()))),
    ]
    faster = speedup(found)
    if faster:
        others.append(f"on the machine that timed both it is {plain(faster[1], 1)} times as fast at batch {faster[0]}")
    second = f"{'; '.join(others)}."
    return [first, second[0].upper() + second[1:]]


def _kept(name: str, task: dict[str, Any]) -> str:
    quality = task["quality"]
    accuracy = f"{percent(task['student'])} against {percent(task['teacher'])}"
    if not quality["judged"] or "value" not in quality["retention"]:
        return f"an accuracy on {words(name)} that is {TOO_FEW} ({accuracy})"
    return f"{percent(quality['retention']['value'])} of the teacher's accuracy on {words(name)} ({accuracy}; {difference(quality)})"


def difference(quality: dict[str, Any]) -> str:
    """Say whether the two models' accuracies differ by more than chance."""
    p = quality["mcnemar"]["p"]
    told = "a difference beyond chance" if p < SIGNIFICANT else "no difference beyond chance"
    return f"{told}, {probability(p)}"


def gates(found: Findings) -> dict[str, dict[str, int]]:
    """Return what the data gate (of bias-audit, all tasks together) and the model gate (of evaluate) counted."""
    data = together(one.get("gate", {}) for one in found.metrics["bias-audit"].values())
    return {"data gate": data, "model gate": found.fairness.get("gate", {})}


def gate_sentence(name: str, gate: dict[str, int]) -> str:
    """Say what a fairness gate found."""
    if not gate.get("checks"):
        return f"the {name} was not judged, for nothing was checked"
    counts = f"{gate['violations']:,} violated and {gate['not_judged']:,} not judged of {gate['checks']:,} checks"
    return f"the {name} is {'passed' if gate['passed'] else 'not passed'} ({counts})"


def _robust(name: str, task: dict[str, Any]) -> str:
    kept = task["robustness"]["all"]
    if not task["robustness"]["judged"] or any("value" not in kept[role]["kept"] for role in kept):
        return f"its robustness on {words(name)} is {NOT_JUDGED}"
    student, teacher = (percent(kept[role]["kept"]["value"]) for role in ("student", "teacher"))
    return f"under careless writing it keeps {student} of its own accuracy on {words(name)}, the teacher {teacher}"


def speedup(found: Findings) -> tuple[int, float] | None:
    """Return the smallest batch that was timed, and how many times as fast as the teacher the student reads it."""
    teacher, student = (found.speed.get(role, {}) for role in ("teacher", "student"))
    batches = sorted(int(name.removeprefix("batch_")) for name in student if name.startswith("batch_") and name in teacher)
    if not batches:
        return None
    name = f"batch_{batches[0]}"
    return batches[0], teacher[name]["milliseconds"] / student[name]["milliseconds"]


def keys(found: Findings) -> list[Key]:
    """Return the numbers that stand beside the verdict."""
    evaluate = found.metrics["evaluate"]
    size = evaluate["size"]
    shown = []
    for name, task in found.tasks.items():
        quality = task["quality"]
        kept = percent(quality["retention"].get("value")) if quality["judged"] else NOT_JUDGED
        shown.append(Key(f"Accuracy kept, {words(name)}", kept, f"{percent(task['student'])} of {percent(task['teacher'])}"))
    mlm = evaluate["mlm"]
    kept = percent(mlm["quality"]["retention"].get("value")) if mlm["judged"] else NOT_JUDGED
    shown.append(Key("Masked words kept", kept, f"{percent(mlm.get('student_top1'))} of {percent(mlm.get('teacher_top1'))} top 1"))
    shown.append(Key("Parameters", percent(size["ratio"]), f"{size['student_parameters']:,} of {size['teacher_parameters']:,}"))
    work = size["student_multiply_adds_a_token"] / size["teacher_multiply_adds_a_token"]
    shown.append(Key("Multiply-adds", percent(work), "a token, of the teacher's"))
    for name, gate in gates(found).items():
        state = NOT_JUDGED if not gate.get("checks") else "passed" if gate["passed"] else "not passed"
        counts = f"{gate.get('violations', 0):,} violated, {gate.get('not_judged', 0):,} not judged of {gate.get('checks', 0):,}"
        shown.append(Key(f"{name.capitalize()} of fairness", state, counts))
    faster = speedup(found)
    if faster:
        shown.append(Key("Speed", f"{plain(faster[1], 1)} times", f"the teacher's at batch {faster[0]}, on one machine", machine=True))
    return shown
