"""Count tokens, padding, time windows and arithmetic operations of a measurement."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

TRAINING = 3  # a forward pass, and a backward pass with twice its arithmetic


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a batch: rows, their padded length, real tokens and masked tokens."""

    rows: int
    length: int
    tokens: int
    masked: int = 0


@dataclasses.dataclass(frozen=True)
class Shape:
    """The shape of a BERT. `vocabulary` is the number of tokens that its head scores."""

    layers: int
    hidden: int
    intermediate: int
    vocabulary: int

    @classmethod
    def of(cls, config: Any, vocabulary: int) -> Self:
        """Return the shape of a BertConfig."""
        return cls(config.num_hidden_layers, config.hidden_size, config.intermediate_size, vocabulary)


@dataclasses.dataclass(frozen=True)
class Work:
    """What a contender computes in a step. The heads of classifiers are too small to count, so they score no positions."""

    student: Shape
    teacher: Shape | None  # None if the teacher does not run
    width: int  # the teacher's hidden size
    pairs: int  # the number of the student's layers that are projected to that width
    scored: Literal["none", "masked", "all"]  # the positions that both heads score


def body_flops(shape: Shape, rows: int, length: int) -> int:
    """Return the operations of a forward pass through all layers, without embeddings and norms. A multiply-add is two operations."""
    dense = rows * length * (4 * shape.hidden**2 + 2 * shape.hidden * shape.intermediate)
    attention = 2 * rows * length**2 * shape.hidden
    return 2 * shape.layers * (dense + attention)


def head_flops(shape: Shape, positions: int) -> int:
    """Return the operations of a masked-language-model head at some positions."""
    return 2 * positions * shape.hidden * (shape.hidden + shape.vocabulary)


def step_flops(work: Work, size: Size) -> int:
    """Return the operations of a step, padding included: the teacher's forward pass, and the student's forward and backward pass."""
    positions = size.rows * size.length
    scored = {"none": 0, "masked": size.masked, "all": positions}[work.scored]
    student = body_flops(work.student, size.rows, size.length) + head_flops(work.student, scored)
    student += 2 * positions * work.student.hidden * work.width * work.pairs
    teacher = body_flops(work.teacher, size.rows, size.length) + head_flops(work.teacher, scored) if work.teacher else 0
    return TRAINING * student + teacher


def padding(sizes: Sequence[Size]) -> float:
    """Return the share of positions that are padding."""
    positions = sum(size.rows * size.length for size in sizes)
    return 1 - sum(size.tokens for size in sizes) / positions


def rates(start: float, ends: Sequence[float], tokens: Sequence[int], windows: int = 3) -> list[float]:
    """Return the tokens per second of several windows with equal numbers of steps, or of each step if there are fewer.

    `start` is the time when the first step began, `ends` are the times when each step ended, and `tokens` are its tokens.
    """
    windows = min(windows, len(ends))
    bounds = [len(ends) * window // windows for window in range(windows + 1)]
    times = [start, *ends]
    return [sum(tokens[first:last]) / (times[last] - times[first]) for first, last in itertools.pairwise(bounds)]


def amortised(speed: float, tokens: int, epochs: int, once: float) -> float:
    """Return the tokens per second over all epochs if `once` seconds are spent before the first one."""
    return epochs * tokens / (epochs * tokens / speed + once)


def together(parts: Iterable[tuple[float, int]]) -> float:
    """Return the tokens per second of several parts one after another, each (tokens per second, tokens)."""
    each = list(parts)
    return sum(tokens for _, tokens in each) / sum(tokens / speed for speed, tokens in each)


def rows_for(lengths: Sequence[int], batches: int) -> int:
    """Return the rows of a fixed-size batch, so that its mean number of tokens equals that of `batches` batches of all sequences."""
    return max(1, round(len(lengths) / batches))
