"""A question and a passage as sequences of token ids: [CLS] question [SEP] part of the passage [SEP].

A passage that is longer than the model reads becomes several windows that overlap. Places are characters of the passage, so they do not
depend on the segmentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from compactlm.tasks.base import Example, Segmenter

NO_TOKEN = (-1, -1)  # the place of a token that is not of the passage
NO_ANSWER = [0.0, 0.0]  # the target [CLS], [CLS]

Place = tuple[int, int]


def answer_tokens(places: Sequence[Place], start: int, end: int) -> Place | None:
    """Return the first and the last token that have a character from `start` to before `end`, or None.

    Args:
        places: the first character of each token, and the character after its last.
        start: the first character of the answer.
        end: the character after its last.
    """
    touched = [token for token, (first, last) in enumerate(places) if first < end and last > start]
    return (touched[0], touched[-1]) if touched else None


def span_windows(
    segmenter: Segmenter,
    question: Sequence[int],
    passage: tuple[Sequence[int], Sequence[Place]],
    answer: Place | None,
    maximum_length: int,
    overlap: int,
) -> list[Example]:
    """Return the windows of a question and a passage, at least one. A question longer than half a window is cut.

    The target of a window is where the answer begins and ends, in tokens of the window. It is [CLS] if there is no answer, or if the
    answer is not wholly in the window.

    Args:
        segmenter: the tokenizer, for the ids of special tokens.
        question: token ids.
        passage: token ids and their places in the text.
        answer: its first and its last token in the passage, or None.
        maximum_length: the most tokens of a window, with the special ones; at least 5.
        overlap: the tokens that a window shares with the one before, half the part of the passage at most.
    """
    room = maximum_length - 3
    asked = list(question[: room // 2])
    head = [segmenter.cls, *asked, segmenter.sep]
    width = room - len(asked)
    found = []
    for first in _firsts(len(passage[0]), width, min(overlap, width // 2)):
        ids, places = (part[first : first + width] for part in passage)
        target = NO_ANSWER
        if answer is not None and first <= answer[0] and answer[1] < first + width:
            target = [float(token - first + len(head)) for token in answer]
        found.append(Example([*head, *ids, segmenter.sep], len(head), target, [*([NO_TOKEN] * len(head)), *places, NO_TOKEN]))
    return found


def _firsts(tokens: int, width: int, overlap: int) -> list[int]:
    """Return the first token of each window: as many windows as are needed."""
    return list(range(0, max(tokens - overlap, 1), width - overlap))
