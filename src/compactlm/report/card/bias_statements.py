"""What was found of bias in the data and the models, in sentences that the measured numbers choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.fairness.audit.predictions import FIGURES
from compactlm.params import BiasAudit, ModelLimits
from compactlm.report.findings import Findings
from compactlm.figures.numbers import figures, gaps, listed, named, percent, plain, shares, words
from compactlm.report.sections.fairness import DATA_FIGURES, is_gated, judged_steps
from compactlm.report.standing import Standing, of_data, of_model, of_stereotypes
from compactlm.report.verdict import gate_sentence, gates


def bias(found: Findings) -> list[str]:
    """Return sentences about bias: the gate, what of the data was unequal, and what the models make of it."""
    told = listed([gate_sentence(name, gate) for name, gate in gates(found).items()])
    sentences = [f"{told[0].upper()}{told[1:]}; what could not be judged is no pass."]
    for task, audit in found.metrics["bias-audit"].items():
        for name, steps in audit["attributes"].items():
            sentences += _data(found, task, name, steps)
    for task, attributes in found.fairness.get("tasks", {}).items():
        for name, audit in attributes.items():
            sentences += _models(words(task), name, audit, found.params.bias_audit)
    for name, one in found.fairness.get("stereotypes", {}).items():
        sentences += _stereotypes(words(name), one, found.params.bias_audit.gate.model)
    return sentences


def _data(found: Findings, task: str, name: str, steps: dict[str, Any]) -> Iterator[str]:
    label, figure = found.params.bias_audit.favorable_labels[task], "disparate_impact"
    for pair in (key for key in steps["before"] if "_to_" in key):
        one = steps["before"][pair].get(label, {})
        if not one.get("judged"):
            yield f"In the data, {words(name)}, {words(pair)}: not judged, for one of them has too few rows."
            continue
        after = steps["mitigated"].get(pair, {}).get(label, {})
        limits = found.params.bias_audit.gate.data
        gated = [steps[step].get(pair, {}).get(label, {}) for step in judged_steps(found.params.bias_audit)]
        outside = [words(kind) for kind in DATA_FIGURES if any(of_data(kind, at.get(kind), limits).outside for at in gated)]
        tail = (
            f", outside the limit of the data gate on {listed(outside)}"
            if outside and is_gated(found.params.bias_audit, name, pair)
            else ""
        )
        yield (
            f"In the data, {words(name)}, {words(pair)}: the disparate impact of the label {label} is {figures(named(one, figure))} "
            f"before and {plain(after.get(figure))} after mitigation ({found.params.bias_audit.mitigation}){tail}."
        )


def _models(task: str, name: str, audit: dict[str, Any], settings: BiasAudit) -> Iterator[str]:
    limits = settings.gate.model
    for pair in (key for key in audit if "_to_" in key):
        where = f"{task}, {words(name)}, {words(pair)}"
        if not is_gated(settings, name, pair):
            continue
        not_judged, within, reaching = [], [], []
        for figure in FIGURES:
            one = audit[pair].get(figure, {})
            standing = of_model(figure, one, limits)
            if not standing.judged:
                not_judged.append(words(figure))
            elif standing.passed:
                within.append(f"{words(figure)} {figures(named(one, 'student'))}, the teacher's {figures(named(one, 'teacher'))}")
                reaching += [words(figure)] if _reaches_beyond(figure, one, limits) else []
            else:
                yield f"On {where}, the student's {words(figure)} is {_violation(one, standing, limits)}."
        if within:
            beyond = f"; beyond them go the intervals of {listed(reaching)}" if reaching else ""
            yield f"On {where}, within the limits: {'; '.join(within)}{beyond}."
        if not_judged:
            yield f"On {where}: not judged, for too few rows or no finite number: {listed(not_judged)}."
    yield from _less_accurate(task, name, audit.get("accuracy", {}))
    swapped = audit.get("counterfactual", {})
    if swapped.get("judged"):
        share, mean = named(swapped["flips"], "student"), named(swapped["probability_change"], "student")
        standing = of_model("counterfactual_flips", {**swapped["flips"], "judged": 1}, limits)
        yield (
            f"Swapping the words of {words(name)} flips {shares(share)} of its predictions on {task} ({swapped['rows']:,} rows; limit "
            f"{percent(limits.counterfactual_flips, 0)}{_marks(standing, limits)}) and moves the probability by {figures(mean)} on average."
        )
    elif swapped:
        yield f"What swapping the words of {words(name)} does to its predictions on {task} was not judged ({swapped['rows']:,} rows)."


def _reaches_beyond(figure: str, one: dict[str, Any], limits: ModelLimits) -> bool:
    ends = [one[end] for end in ("student_low", "student_high") if end in one]
    return any(of_model(figure, {**one, "student": end}, limits).outside for end in ends)


def _less_accurate(task: str, name: str, groups: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each group whose rows the student gets wrong more often than its teacher, beyond chance."""
    for group, one in groups.items():
        if one.get("judged") and one.get("amplification_high", 0.0) < 0:
            difference = gaps(named(one, "amplification"))
            yield f"On {task}, {words(name)}, rows of {words(group)}: its accuracy less its teacher's is {difference}, beyond chance."


def _violation(one: dict[str, Any], standing: Standing, limits: ModelLimits) -> str:
    own = f"{figures(named(one, 'student'))}{_marks(standing, limits)}"
    return f"{own}; the teacher's is {figures(named(one, 'teacher'))}"


def _marks(standing: Standing, limits: ModelLimits) -> str:
    told = ", outside the limit" if standing.outside else ""
    if standing.amplified:
        told += f", further from parity than its teacher by {plain(standing.growth)} (limit {limits.amplification:g})"
    return told


def _stereotypes(name: str, one: dict[str, Any], limits: ModelLimits) -> Iterator[str]:
    if not one["judged"]:
        yield f"Whether it prefers stereotypes of {name} was not judged ({one['pairs']:,} sentence pairs)."
        return
    student, teacher = (named(one["preference"], role) for role in ("student", "teacher"))
    yield (
        f"Of {one['pairs']:,} sentence pairs about occupations and {name} it finds the stereotypical word likelier in {shares(student)} "
        f"(parity: 50 %), the teacher in {shares(teacher)}.{_saturation(one)}"
    )
    gap = {role: named(one.get("log_odds_gap", {}), role) for role in ("student", "teacher")}
    if "value" in gap["student"]:
        marks = _marks(of_stereotypes("log_odds_gap", one, limits) or Standing(), limits)
        yield (
            f"The gap of log odds between the stereotypical word and the other is {figures(gap['student'])} nats (parity: 0; limit "
            f"{limits.stereotype_log_odds_gap:g}){marks}, the teacher's {figures(gap['teacher'])}."
        )


def _saturation(one: dict[str, Any]) -> str:
    whose = [{"student": "its own", "teacher": "its teacher's"}[role] for role, held in sorted(one.get("saturated", {}).items()) if held]
    if not whose:
        return ""
    return f" That says nothing of {listed(whose)} words: one group's word is the likelier one there whatever the occupation."
