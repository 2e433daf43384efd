"""Samples of the student's errors, with the tokens that matter."""

from __future__ import annotations

from collections.abc import Mapping

from compactlm.draws import draw_items
from compactlm.evaluation.classifier import Reader
from compactlm.figures.numbers import MINUS, percent, quoted, words
from compactlm.report.blocks import Block, Example, Part, Section, with_headings
from compactlm.report.findings import Findings
from compactlm.report.occlusion import Occlusion, draw_errors, occlude

SAMPLES = 12  # rows per task
LONGEST = 600  # characters of a text that are shown
NAMED = 3  # tokens named in the sentence
LEVELS = (0.03, 0.1, 0.25)  # least change of probability for level 1, 2 and 3


def errors(found: Findings, readers: Mapping[str, Reader]) -> Section:
    """Return the section; `readers` are the student's classifiers by task."""
    blocks = with_headings((words(name), _examples(found, name, reader)) for name, reader in readers.items())
    lead = (
        f"Up to {SAMPLES} random rows per task that the student gets wrong. To measure how much a token matters, it is replaced by [MASK]. "
        "Underlined tokens speak for the student's label; a thicker line means more. Dotted tokens speak against it."
    )
    if any(answers.kind.name != "classification" or answers.task.pair for answers in found.answers.values()):
        lead += " Other kinds of task than the classification of single texts have random rows, without tokens."
    return Section("errors", "Samples of errors", lead, blocks)


def _examples(found: Findings, name: str, reader: Reader) -> list[Block]:
    answers, task = found.answers[name], found.params.tasks[name]
    if answers.kind.name != "classification" or task.pair:
        return _plain_examples(found, name)
    labels, chosen = task.labels, draw_errors(answers, "student", SAMPLES, found.params.seed)
    texts = [answers.texts[at] for at in chosen]
    predicted = [int(answers.predicted("student")[at]) for at in chosen]
    occluded = occlude(reader, texts, predicted) if chosen else []
    examples: list[Block] = []
    for at, text, label, one in zip(chosen, texts, predicted, occluded, strict=True):
        probabilities = {role: answers.probabilities[role][at] for role in ("student", "teacher")}
        both = [f"{role.capitalize()}: {labels[int(p.argmax())]} ({percent(float(p.max()), 0)})" for role, p in probabilities.items()]
        examples.append(Example(f"Actual: {labels[int(answers.expected[at])]}", both, parts(text, one), _tokens(text, one, labels[label])))
    return examples


def _plain_examples(found: Findings, name: str) -> list[Block]:
    """Return random rows with the answers of both models, without marking tokens that matter."""
    answers, task = found.answers[name], found.params.tasks[name]
    kind, said = answers.kind, answers.said["student"]
    right = kind.right(said, answers.rows, task)
    wrong = [at for at in range(len(answers.rows)) if right is None or not right[at]]
    examples: list[Block] = []
    for at in draw_items(wrong, SAMPLES, "errors", found.params.seed, key=lambda at: answers.ids[at]):
        row = answers.rows[at]
        both = [f"{role.capitalize()}: {kind.show(answers.said[role][at], task, {})}" for role in ("student", "teacher")]
        shown = [text if len(text) <= LONGEST else f"{text[:LONGEST]}..." for text in (row.pair, row.text) if text]
        examples.append(Example(f"Actual: {kind.expected(row, task)}", both, [Part(" | ".join(shown))], ""))
    return examples


def parts(text: str, found: Occlusion) -> list[Part]:
    """Return a text in parts, each with how much it matters. Text beyond the maximum length does not matter."""
    shown: list[Part] = []
    end = 0
    for (start, stop), change in zip(found.spans, found.changes, strict=True):
        if start > end:
            shown.append(Part(text[end:start]))
        shown.append(Part(text[start:stop], sum(abs(change) >= least for least in LEVELS), change < 0))
        end = stop
    return [*shown, *([Part(text[end:])] if end < len(text) else [])]


def _tokens(text: str, found: Occlusion, label: str) -> str:
    tokens = sorted(zip(found.changes, found.spans, strict=True), key=lambda pair: (-round(abs(pair[0]), 6), pair[1]))[:NAMED]
    named = [_effect(text[start:stop], change) for change, (start, stop) in tokens if abs(change) >= LEVELS[0]]
    return f"Tokens that matter for {label}: {', '.join(named)}." if named else "No single token matters much."


def _effect(token: str, change: float) -> str:
    signed = f"{100 * change:+.0f}".replace("-", MINUS)
    return f"{quoted(token)} {signed} points"
