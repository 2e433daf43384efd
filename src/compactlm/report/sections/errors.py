"""Samples of the student's errors, with the tokens that mattered."""

from __future__ import annotations

from collections.abc import Mapping

from compactlm.evaluation.reading import Reader
from compactlm.report.blocks import Block, Example, Heading, Part, Section
from compactlm.report.findings import Findings
from compactlm.figures.numbers import MINUS, percent, quoted, words
from compactlm.report.occlusion import Occlusion, draw_errors, occlude

SAMPLES = 12  # a task
NAMED = 3  # tokens told of by name
LEVELS = (0.03, 0.1, 0.25)  # a change of probability by so much is of level 1, 2, 3


def errors(found: Findings, readers: Mapping[str, Reader]) -> Section:
    """Return the section.

    Args:
        found: what the run found.
        readers: the student's classifier of each task.
    """
    blocks: list[Block] = []
    for name, answers in found.answers.items():
        labels = found.params.tasks[name].labels
        chosen = draw_errors(answers, "student", SAMPLES, found.params.seed)
        if len(found.answers) > 1:
            blocks.append(Heading(words(name)))
        predicted = [int(answers.predicted("student")[at]) for at in chosen]
        occluded = occlude(readers[name], [answers.texts[at] for at in chosen], predicted) if chosen else []
        for at, label, one in zip(chosen, predicted, occluded, strict=True):
            teacher = answers.probabilities["teacher"][at]
            said = (
                f"Student: {labels[label]}, {percent(float(answers.probabilities['student'][at][label]), 0)} sure",
                f"Teacher: {labels[int(teacher.argmax())]}, {percent(float(teacher.max()), 0)} sure",
            )
            text = answers.texts[at]
            blocks.append(
                Example(f"Should be {labels[int(answers.expected[at])]}", said, parts(text, one), _mattered(text, one, labels[label]))
            )
    lead = (
        f"At most {SAMPLES} rows a task that the student gets wrong, drawn by the seed and not chosen. Each token was masked in turn: "
        "underlined tokens speak for the student's label, by the thickness of the line; dotted tokens speak against it."
    )
    return Section("errors", "Samples of errors", lead, blocks)


def parts(text: str, found: Occlusion) -> list[Part]:
    """Return a text in stretches, each with how much it mattered; what was not read does not matter."""
    shown: list[Part] = []
    end = 0
    for (start, stop), change in zip(found.spans, found.changes, strict=True):
        if start > end:
            shown.append(Part(text[end:start]))
        shown.append(Part(text[start:stop], sum(abs(change) >= least for least in LEVELS), change < 0))
        end = stop
    return [*shown, *([Part(text[end:])] if end < len(text) else [])]


def _mattered(text: str, found: Occlusion, label: str) -> str:
    tokens = sorted(zip(found.changes, found.spans, strict=True), key=lambda pair: (-round(abs(pair[0]), 6), pair[1]))[:NAMED]
    told = [_told(text[start:stop], change) for change, (start, stop) in tokens if abs(change) >= LEVELS[0]]
    return f"What mattered for {label}: {', '.join(told)}." if told else "No single token mattered much."


def _told(token: str, change: float) -> str:
    signed = f"{100 * change:+.0f}".replace("-", MINUS)
    return f"{quoted(token)} {signed} points"
