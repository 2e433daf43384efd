"""What the student is bad at, in sentences that the measured numbers choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.report.findings import Findings
from compactlm.figures.numbers import TOO_FEW, figures, listed, percent, perplexities, points, quoted, shares, words
from compactlm.report.sections.weakness import worst
from compactlm.report.verdict import SIGNIFICANT

CALIBRATED = 0.05  # a calibration error up to this is told as none to speak of
LITTLE = 0.05  # a loss of accuracy, as a share, from which a slice or a flaw is called a weakness
FEW_WORDS = 0.3  # a share of masked words below which the language model is told to be weak


def limits(found: Findings) -> list[str]:
    """Return sentences about what the student cannot do or does less well than it seems."""
    sentences = list(_reading(found))
    for name, task in found.tasks.items():
        sentences += _task(words(name), task)
    return [*sentences, *_language_model(found)]


def _reading(found: Findings) -> Iterator[str]:
    length = found.params.tokenize.maximum_length
    test = found.metrics["tokenize"]["test"]
    yield f"It was trained on texts of at most {length} tokens; of a longer text it saw the start alone ({_rows(test['cut_rows'])} cut)."
    coverage = found.metrics["tokenize"]["vocabulary"]["coverage"]
    yield (
        f"Its vocabulary of {found.metrics['tokenize']['vocabulary']['tokens']:,} tokens holds {percent(coverage)} of the training text's "
        f"tokens as the teacher splits it; the rest falls into smaller ones. "
        f"Of the test tokens {percent(test['unknown_rate'], 3)} are unknown to it."
    )


def _rows(count: int) -> str:
    return "1 labelled test row was" if count == 1 else f"{count:,} labelled test rows were"


def _task(name: str, task: dict[str, Any]) -> Iterator[str]:
    quality = task["quality"]
    if not quality["judged"]:
        yield f"Its quality on {name} is {TOO_FEW} ({task['rows']:,}): take none of these figures for granted."
        return
    gap, p = quality["difference"]["accuracy"], quality["mcnemar"]["p"]
    if p < SIGNIFICANT and gap["value"] < 0:
        own = shares(quality["student"]["accuracy"])
        yield f"On {name} it is less accurate than its teacher beyond chance, by {points(gap['value'])}, and right on {own}."
    elif p >= SIGNIFICANT:
        yield (
            f"On {name}, {task['rows']:,} test rows cannot tell it from its teacher; the difference in accuracy may lie anywhere between "
            f"{points(gap.get('low'))} and {points(gap.get('high'))}."
        )
    yield from _calibration(name, quality)
    yield from _slices(name, task)
    yield from _robustness(name, task["robustness"])
    kept = task["forgetting"]["student"]
    if kept["judged"] and "value" in kept["kept"] and kept["kept"]["value"] < 1 - LITTLE:
        yield (
            f"The body of its {name} model is not that of the masked language model, whose head finds {shares(kept['kept'])} of the masked "
            "words with it that it finds with its own: fill words by the masked language model alone."
        )


def _calibration(name: str, quality: dict[str, Any]) -> Iterator[str]:
    error = quality["student"].get("calibration_error", {})
    if "value" not in error:
        return
    if error["value"] > CALIBRATED:
        yield f"Its probabilities on {name} are off by {figures(error)} on average (calibration error): do not read them as they stand."
    else:
        yield f"Its probabilities on {name} are near to what they say (calibration error {figures(error)})."


def _slices(name: str, task: dict[str, Any]) -> Iterator[str]:
    least = worst(task, "student")
    if least is not None:
        value = task["worst_slice"]["student"]
        gap = task["student"] - value["value"]
        tail = f", {100 * gap:.1f} points below all rows" if gap > LITTLE else ", which is near to all rows"
        yield f"Its worst slice of {name} is {quoted(least)}: right on {shares(value)}{tail}."
    few = [
        f"{words(kind)}: {words(part)}"
        for kind, parts in task["slices"].items()
        for part, one in parts.items()
        if one["rows"] and not one["judged"]
    ]
    if few:
        yield f"Too few test rows of {name} to judge it on: {listed(few)}."


def _robustness(name: str, found: dict[str, Any]) -> Iterator[str]:
    if not found["judged"]:
        yield f"How it bears careless writing on {name} is {TOO_FEW}."
        return
    cases = [
        (case["student"]["kept"]["value"], f"{words(kind)}, {strength}")
        for kind, strengths in found["perturbations"].items()
        for strength, case in strengths.items()
        if "value" in case["student"]["kept"]
    ]
    if cases:
        value, case = min(cases)
        told = "It is brittle" if value < 1 - 2 * LITTLE else "It bears careless writing"
        yield f"{told}: under the worst flaw on {name} ({case}) it keeps {percent(value)} of its accuracy."


def _language_model(found: Findings) -> Iterator[str]:
    mlm = found.metrics["evaluate"]["mlm"]
    if not mlm["judged"]:
        yield f"How well it fills masked words is {TOO_FEW}."
        return
    if mlm["student_top1"] < FEW_WORDS:
        share = percent(mlm["student_top1"])
        yield f"As a masked language model it is weak: {share} of masked words are its first choice. It cannot write text."
    judged = {source: one for source, one in mlm["sources"].items() if one["judged"] and "value" in one["student"]["pseudo_perplexity"]}
    if len(judged) > 1:
        hardest = max(judged, key=lambda source: (judged[source]["student"]["pseudo_perplexity"]["value"], source))
        yield f"It reads {words(hardest)} worst (pseudo-perplexity {perplexities(judged[hardest]['student']['pseudo_perplexity'])})."
