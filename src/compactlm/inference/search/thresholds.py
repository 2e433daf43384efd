"""The score thresholds of `answer`, in answers.json next to an exported model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from compactlm.errors import CompactLMError

FILE = "answers.json"


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """The minimum scores of an answer, -1 to 1.

    Attributes:
        pair: the threshold for question-answer pairs.
        passage: the threshold for passages.
        wrong_answers: the accepted share of wrong answers, 0 to 1, for which both were chosen; None if they were not chosen on data.
    """

    pair: float
    passage: float
    wrong_answers: float | None


# Two wordings of one question are more similar than a question and the passage that answers it.
DEFAULT = Thresholds(pair=0.5, passage=0.3, wrong_answers=None)


def write_thresholds(directory: Path, thresholds: Thresholds) -> None:
    """Write the thresholds next to a model."""
    content = json.dumps(dataclasses.asdict(thresholds), indent=2, sort_keys=True)
    (directory / FILE).write_text(content + "\n", encoding="utf-8")


def read_thresholds(directory: Path) -> Thresholds:
    """Read the thresholds next to a model; DEFAULT if it has none.

    Raises:
        CompactLMError: the file is damaged.
    """
    path = directory / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = Thresholds(*(float(content[field.name]) for field in dataclasses.fields(Thresholds)))
    except FileNotFoundError:
        return DEFAULT
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        found = None
    if found is None or not (-1 <= found.pair <= 1 and -1 <= found.passage <= 1 and 0 <= (found.wrong_answers or 0) <= 1):
        raise CompactLMError(f"{path} is damaged; restore it with `dvc checkout`, or copy the model again")
    return found
