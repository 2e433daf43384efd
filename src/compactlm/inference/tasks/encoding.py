"""Turn rows into sequences of token ids that fit a task's model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.runtime.word_cache import WordCache
from compactlm.inference.tasks.streaming import Encode, Encoded
from compactlm.tasks import kind_of
from compactlm.tasks.base import Example, Input
from compactlm.tasks.pairs import pair_ids
from compactlm.tasks.segmenting import LibrarySegmenter

Ids = Sequence[int]
Tokenize = Callable[[Sequence[str]], Sequence[Ids]]


def encoder_of(model: Model, rows: int) -> Encode:
    """Return a function that turns rows into sequences, for streams with chunks of `rows_at_once` rows.

    Raises:
        CompactLMError: raised by the returned function, if a row has one text but the task reads two, or the other way round.
    """
    if kind_of(model.directory.task).per_token:
        return lambda chunk: _windows(model, chunk)
    # The cache takes time to build, which is worthwhile for many rows.
    tokenize: Tokenize = model.tokenizer.encode if rows == 1 else WordCache(model.tokenizer).encode
    return lambda chunk: _wholes(model, tokenize, chunk)


def _wholes(model: Model, tokenize: Tokenize, rows: Sequence[Input]) -> list[Encoded]:
    """Return one sequence for each row."""
    tokenizer = model.tokenizer
    if not model.directory.task.pair:
        _check(model, any(row.pair is not None for row in rows))
        return [single(tokenizer, row, ids) for row, ids in zip(rows, tokenize([row.text for row in rows]), strict=True)]
    _check(model, any(row.pair is None for row in rows))
    both = tokenize([text for row in rows for text in (row.text, row.pair or "")])
    return [paired(tokenizer, row, *ids) for row, *ids in zip(rows, both[::2], both[1::2], strict=True)]


def single(tokenizer: Tokenizer, row: Input, ids: Ids) -> Encoded:
    """Return a text, given its token ids with [CLS] and [SEP]."""
    whole = len(ids) <= tokenizer.limit
    example = Example(cast("list[int]", ids) if whole else tokenizer.cut(ids))  # any sequence of ids can be padded
    return Encoded(row, [example], not whole, _unknown(tokenizer, ids, 2))


def paired(tokenizer: Tokenizer, row: Input, first: Ids, second: Ids) -> Encoded:
    """Return a pair of texts, given the token ids of each with [CLS] and [SEP]. In a long pair the longer text is truncated."""
    ids, start = pair_ids(tokenizer, first[1:-1], second[1:-1], tokenizer.limit)
    cut = len(ids) < len(first) + len(second) - 1
    empty = len(first) <= 2 or len(second) <= 2
    return Encoded(row, [Example(ids, start)], cut, empty or _unknown(tokenizer, [*first, *second], 4))


def _unknown(tokenizer: Tokenizer, ids: Ids, special: int) -> bool:
    """Return whether at least half of the tokens, without special tokens, are fragments of unknown words."""
    return 2 * sum(map(tokenizer.fragments.__contains__, ids)) >= len(ids) - special


def _check(model: Model, wrong: bool) -> None:
    if wrong:
        needed = "reads pairs of texts; pass the second text too (--pair, or --pair-field for lines)"
        how = needed if model.directory.task.pair else "reads single texts; leave out the second text"
        raise CompactLMError(f"the task {model.directory.path.name!r} {how}")


def _windows(model: Model, rows: Sequence[Input]) -> list[Encoded]:
    """Return the windows of each row of a kind with outputs for each token."""
    task, tokenizer = model.directory.task, model.tokenizer
    limit = min(tokenizer.limit, task.maximum_length or tokenizer.limit)
    windows = kind_of(task).encode(LibrarySegmenter(tokenizer.library), rows, task, limit, places=True)
    ids = ([index for one in examples for index in one.input_ids[1:-1]] for examples in windows)
    return [Encoded(row, examples, False, _unknown(tokenizer, inner, 0)) for row, examples, inner in zip(rows, windows, ids, strict=True)]
