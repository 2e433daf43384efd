"""The pairs of answers that judges see, and the key that says which side belongs to which model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StrictInt, StrictStr

from compactlm.draws import draw_bits, draw_generator, draw_items
from compactlm.errors import CompactLMError
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.params import Section

Side = Literal["left", "right"]
RoleName = Literal["teacher", "student"]
MARGIN_LIMIT = 0.5  # a margin of 0.5 around one half would accept every interval


class Place(Section):
    """The hidden data of one pair.

    Attributes:
        row: the id of the test row.
        task: the task of the row.
        left: the model whose answer is on the left.
        repeats: the number of the earlier pair that this pair repeats with exchanged sides, or None.
    """

    row: StrictStr
    task: StrictStr
    left: RoleName
    repeats: StrictInt | None = None

    def whose(self, answer: str) -> str:
        """Return "teacher" or "student" for the side that a judge chose; "both" and "neither" are returned unchanged."""
        if answer not in ("left", "right"):
            return answer
        return self.left if answer == "left" else next(role for role in ROLES if role != self.left)


class Key(Section):
    """The key of a page. It is written before anybody votes, and it has the margin that the scores use.

    Attributes:
        page: the fingerprint of the page; votes have it, too.
        seed: the seed of rows, sides and repeats.
        margin: how far a share may be from one half if the models cannot be told apart, above 0 and below 0.5.
        pairs: the pairs in the order of the page.
    """

    page: StrictStr
    seed: StrictInt
    margin: Annotated[float, Field(gt=0, lt=MARGIN_LIMIT)]
    pairs: list[Place]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The content of a page: what judges see (JSON, one mapping per pair), and the key."""

    shown: list[dict[str, Any]]
    key: Key


def differing(answers: Mapping[str, Answers]) -> Iterator[tuple[str, int]]:
    """Yield the task and the position of each row to which teacher and student give different labels."""
    for task, one in answers.items():
        for at in np.flatnonzero(one.predicted("teacher") != one.predicted("student")):
            yield task, int(at)


def draw_comparison(
    answers: Mapping[str, Answers], labels: Mapping[str, Sequence[str]], pairs: int, repeats: int, margin: float, seed: int
) -> Comparison:
    """Draw rows, sides and repeats by seed and row id.

    Repeats come from the first third of the pairs and are mixed into the last third, so at least a third of the pairs is between a pair and
    its repeat. A repeat has exchanged sides, so judges who always choose the same side disagree with themselves.

    Args:
        answers: the answers of both models, by task.
        labels: the names of the labels, by task.
        pairs: the number of pairs to draw; all if there are fewer differing rows.
        repeats: the number of pairs that are shown twice, at most a third of the pairs.
        margin: the margin of the key.
        seed: the seed of the draws.

    Raises:
        CompactLMError: the models differ on no row.
    """
    places = draw_items(differing(answers), pairs, "blind", seed, key=lambda place: f"{place[0]} {answers[place[0]].ids[place[1]]}")
    if not places:
        raise CompactLMError("teacher and student give the same label to every test row, so there is nothing to compare")
    third = len(places) // 3
    again = draw_items(range(third), repeats, "blind repeats", seed, key=lambda at: answers[places[at][0]].ids[places[at][1]])
    order: list[tuple[tuple[str, int], int | None]] = [(place, None) for place in places] + [(places[at], at) for at in again]
    last = order[len(places) - third :]
    draw_generator("blind order", seed).shuffle(last)
    shown, key = [], []
    for (task, at), repeated in order[: len(places) - third] + last:
        one = answers[task]
        left = ROLES[(draw_bits("blind side", seed, task, one.ids[at]) + (repeated is not None)) % 2]
        place = Place.model_validate({"row": one.ids[at], "task": task, "left": left, "repeats": repeated})
        sides = {side: _answer(one, place.whose(side), at, labels[task]) for side in ("left", "right")}
        shown.append({"task": task, "text": _shown_text(one, at), **sides})
        key.append(place)
    return Comparison(shown, Key(page=_fingerprint(shown), seed=seed, margin=margin, pairs=key))


def _shown_text(answers: Answers, at: int) -> str:
    """Return the text of a row, with the second text of a pair in a paragraph of its own."""
    row = answers.rows[at]
    return row.text if row.pair is None else f"{row.text}\n\n{row.pair}"


def _answer(answers: Answers, role: str, at: int, labels: Sequence[str]) -> dict[str, Any]:
    probabilities = answers.probabilities[role][at]
    return {"label": labels[int(probabilities.argmax())], "percent": round(100 * float(probabilities.max()))}


def _fingerprint(shown: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
