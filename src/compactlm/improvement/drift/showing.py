"""Describe a comparison with the reference sample in words, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compactlm.figures.numbers import count, interval, percent, plain
from compactlm.improvement.drift.testing import CONFIDENCE, LABELS, SPLIT_WORDS, TEXT, UNKNOWN_WORDS
from compactlm.improvement.drift.watching import CHANGE, UNDECIDED, Finding, Watched
from compactlm.improvement.drift.words import Word
from compactlm.improvement.rows import Row

TITLES = {
    TEXT: "AUC of old against new text",
    UNKNOWN_WORDS: "unknown words",
    SPLIT_WORDS: "words of several tokens",
    LABELS: "shares of the labels",
    CONFIDENCE: "mean confidence",
}
LONGEST = 70  # characters of a row that is shown


def lines(found: Watched, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the comparison. The last line is the verdict.

    Args:
        found: the comparison.
        rows: the new rows; empty if their texts are not known.
    """
    yield f"{count(found.rows)} new rows against {count(found.reference_rows)} reference rows"
    yield _columns("", "reference", "new", "p")
    for one in found.findings:
        yield _columns(TITLES[one.name], *_values(one), f"{one.p:.4f}", "changed" if one.changed else "")
    for name, (before, after) in found.label_shares.items():
        yield _columns(f"  answered {name}", percent(before), percent(after))
    if found.accuracy:
        yield _columns("accuracy, estimated if new", percent(found.accuracy.reference.value), interval(found.accuracy.estimated, percent))
    else:
        yield "Answers are not compared: only tasks of the kind classification give one label a text."
    for sign, title in ((1, "more frequent in new rows"), (-1, "rarer in new rows")):
        words = [_word(word) for word in found.words if sign * word.score > 0]
        if words:
            yield f"{title}: {', '.join(words)}"
    if found.examples and rows:
        yield "new rows that are least like the reference rows:"
        yield from (f"  row {rows[at].number}: {_short(rows[at].text)}" for at in found.examples)
    alarms = found.false_alarms
    yield f"A change is reported in {interval(alarms, percent)} of {count(alarms.rows)} random splits of the reference rows."
    yield verdict(found)


def verdict(found: Watched) -> str:
    """Return the verdict in one sentence."""
    if found.status == UNDECIDED:
        return f"Verdict: undecided, because {count(min(found.rows, found.reference_rows))} rows are too few; 30 or more are needed."
    if found.status != CHANGE:
        return "Verdict: no change was found."
    changed = ", ".join(TITLES[one.name] for one in found.findings if one.changed)
    if found.accuracy is None:
        return f"Verdict: the text has changed ({changed})."
    change = found.accuracy.change
    loss = "is not lower"
    if change.sign < 0:
        loss = f"is lower by {_points(change.high)} to {_points(change.low)} points"
    return (
        f"Verdict: the text has changed ({changed}). The estimated accuracy {loss}; on changed text, such estimates are too high. "
        "Label a random sample to measure it: `compactlm pick`."
    )


def _columns(title: str, old: str, new: str, p: str = "", mark: str = "") -> str:
    return f"{title:29}{old:>10}{new:>24}{p:>8}  {mark}".rstrip()


def _points(value: float | None) -> str:
    return plain(100 * abs(value or 0.0), 1)


def _values(one: Finding) -> tuple[str, str]:
    if one.area is not None:
        return "0.5", interval(one.area)
    return tuple("" if value is None else percent(value) for value in (one.reference, one.new))  # type: ignore[return-value]


def _word(word: Word) -> str:
    return f"{word.word} ({percent(word.reference, 0)} to {percent(word.new, 0)})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
