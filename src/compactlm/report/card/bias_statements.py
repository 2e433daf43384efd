"""The bias of the data and the models, as sentences chosen by the measured numbers and their statuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.fairness.audit import labels
from compactlm.fairness.audit.predictions import FIGURES
from compactlm.fairness.audit.training_data import STEPS
from compactlm.fairness.outcomes import changing, outcome_name
from compactlm.fairness.roles import AMPLIFICATION, DIFFERENCE, ByRole
from compactlm.figures.figure import Status
from compactlm.figures.numbers import capital, count, interval, limited, listed, percent, plain, points, stated, status, words
from compactlm.params import Task
from compactlm.report.findings import Findings
from compactlm.report.verdict import gate_sentence, gates, not_compared
from compactlm.tasks import kind_of


def bias_statements(found: Findings) -> list[str]:
    """Return the sentences: the gates, the data, the predictions, and the masked language models."""
    sentences = [f"{capital(listed([gate_sentence(gate) for gate in gates(found)]))}."]
    for task, audit in found.metrics["bias-audit"].items():
        for name, steps in audit["attributes"].items():
            sentences += _data(found, task, name, steps)
    for task, attributes in found.fairness.get("tasks", {}).items():
        for name, audit in attributes.items():
            sentences += _models(words(task), name, audit, found.params.tasks[task])
    sentences += not_compared(found)
    for name, one in found.fairness.get("stereotypes", {}).items():
        sentences += _stereotypes(words(name), one)
    return sentences


def _data(found: Findings, task: str, name: str, steps: dict[str, Any]) -> Iterator[str]:
    definition = found.params.tasks[task]
    label = outcome_name(found.params.bias_audit, task, definition)
    of = f"of the label {label}" if kind_of(definition).has_favourable else f"of {words(label)}"
    captions = {**STEPS, "mitigated": f"{STEPS['mitigated']}, {found.params.bias_audit.mitigation}"}
    for pair in steps["before"]["pairs"]:
        for figure in labels.FIGURES:
            measured = {caption: steps[step]["pairs"].get(pair) for step, caption in captions.items()}
            values = [f"{stated(by_label[label][figure])} ({caption})" for caption, by_label in measured.items() if by_label]
            yield (f"In the data for {words(task)}, {words(name)}, {words(pair)}: the {words(figure)} {of} is {listed(values)}.")


def _models(task: str, name: str, audit: dict[str, Any], definition: Task) -> Iterator[str]:
    for pair, measured in audit["pairs"].items():
        gated = {words(figure): measured[figure] for figure in FIGURES if figure in measured and measured[figure]["student"].limit}
        yield from _by_status(f"On {task}, {words(name)}, {words(pair)}", gated)
    for group, by_role in audit.get("accuracy", {}).items():
        gap = by_role[DIFFERENCE]
        if gap.sign < 0:
            where = f"On {task}, {words(name)}, rows of {words(group)}"
            yield f"{where}: its accuracy is significantly lower than the teacher's, by {interval(gap, points)}."
    if swapped := audit.get("counterfactual"):
        yield from _swapped(task, name, swapped, definition)


def _swapped(task: str, name: str, swapped: dict[str, Any], definition: Task) -> Iterator[str]:
    of, outcome = f"the words of {words(name)} in {swapped['rows']:,} test rows of {task}", changing(definition)
    changed = f"The mean change of {outcome} is {interval(swapped['outcome_change']['student'])}." if "outcome_change" in swapped else ""
    if "probability_change" in swapped:
        changed = f"The mean change of probability is {interval(swapped['probability_change']['student'])}."
    flips = swapped["flips"]["student"] if "flips" in swapped else None
    if flips is None:
        yield f"Swapping {of} changes its answers. {changed}"
    else:
        yield f"Swapping {of} flips {interval(flips, percent)} of its predictions, {limited(flips)}. {changed}"
    paired = swapped["paired_parity_difference"]["student"]
    if paired.judged:
        show = plain if flips is None else points  # a score is no share
        between = f"{interval(paired, show)} between the words of the two groups, {limited(paired)}"
        yield f"In {count(paired.rows)} of these rows, {outcome} differs by {between}."


def _by_status(where: str, figures: dict[str, ByRole]) -> Iterator[str]:
    """Yield one sentence for all figures that are ok, one for all that are not judged, and one for each other figure."""
    named: dict[Status, list[str]] = {one: [] for one in Status}
    for name, by_role in figures.items():
        student, teacher, more = by_role["student"], by_role["teacher"], by_role[AMPLIFICATION]
        found = {student.status, more.status}
        if found == {Status.OK}:
            named[Status.OK].append(f"{name} {interval(student)}, the teacher's {interval(teacher)}")
        elif found & {Status.VIOLATED, Status.UNDECIDED}:
            yield (
                f"{where}, the student's {name} is {interval(student)}, {limited(student)}; the teacher's is {interval(teacher)}; "
                f"the amplification is {interval(more)}, {limited(more)}."
            )
        else:
            named[Status.NOT_JUDGED].append(f"{name} ({status(student if not student.judged else more)})")
    if named[Status.OK]:
        yield f"{where}, ok: {'; '.join(named[Status.OK])}."
    if named[Status.NOT_JUDGED]:
        yield f"{where}: {listed(named[Status.NOT_JUDGED])}."


def _stereotypes(name: str, one: dict[str, Any]) -> Iterator[str]:
    preference, gap = one["preference"], one["log_odds_gap"]
    if not preference["student"].judged:
        yield f"Its stereotypes of {name} are {status(preference['student'])}."
        return
    student, teacher = (interval(preference[role], percent) for role in ("student", "teacher"))
    compared = AMPLIFICATION in gap
    yield (
        f"In {one['pairs']:,} sentence pairs about occupations and {name}, it prefers the stereotypical word in {student} "
        f"(parity: 50 %){f', and the teacher in {teacher}' if compared else ''}.{_saturation(one)}"
    )
    own, theirs = (f"{interval(gap[role])} nats" for role in ("student", "teacher"))
    more = (
        f"The teacher's is {theirs}. The amplification is {interval(gap[AMPLIFICATION])}, {limited(gap[AMPLIFICATION])}."
        if compared
        else "The teacher's stereotypes are not judged, because it has no masked-language-model head."
    )
    yield f"The gap of log odds between the stereotypical word and the other is {own} (parity: 0), {limited(gap['student'])}. {more}"


def _saturation(one: dict[str, Any]) -> str:
    roles = [role for role, saturated in sorted(one.get("saturated", {}).items()) if saturated]
    if not roles:
        return ""
    return f" This says nothing about the {listed(roles)}, which prefers the word of one group for nearly every occupation."
