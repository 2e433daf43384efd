"""The words of a row and their tags."""

from __future__ import annotations

from collections.abc import Sequence

from compactlm.corpus.ingest.cells import cell_at, shown
from compactlm.errors import CompactLMError
from compactlm.params import TagList
from compactlm.tasks.tags.carrying import continued
from compactlm.text.formats.tables import Row
from compactlm.text.labels import find_label, label_text
from compactlm.text.unicode import encodable

WordCounts = tuple[int, ...]  # the number of words in each cell of the words column


def read_words(row: Row, column: str | int, place: str) -> tuple[tuple[str, ...], WordCounts]:
    """Return the words of a row, from a list or a text with white space between words, and the number of words in each cell.

    A cell with white space inside ("New York", "10 000") holds several words.

    Raises:
        CompactLMError: the column is missing, is neither text nor a list of texts, or a cell of the list is empty.
    """
    value = cell_at(row, column, place, "words")
    cells = value.split() if isinstance(value, str) else [] if value is None else value
    if not isinstance(cells, Sequence):
        raise CompactLMError(f"{place}: the column {column!r} of columns.words holds {shown(value)}, which is not a list of words")
    split = []
    for number, cell in enumerate(cells):
        words = encodable(cell).split() if isinstance(cell, str) else []
        if not words:
            raise CompactLMError(
                f"{place}: word {number + 1} in the column {column!r} of columns.words is {shown(cell)}, which is no word; correct the row"
            )
        split.append(words)
    return tuple(word for words in split for word in words), tuple(map(len, split))


def read_tags(row: Row, rule: TagList, word_counts: WordCounts, place: str) -> tuple[str, ...]:
    """Return the tag of each word, from a list or from a text with white space between tags.

    Args:
        row: the row.
        rule: the column of tags and their names.
        word_counts: the number of words in each cell of the words column, as returned by `read_words`. If a cell has several words, its
            tag covers all of them.
        place: the source, file and line, for messages.

    Raises:
        CompactLMError: the column is missing, a tag is empty or unknown to `rule.names`, or there are more or fewer tags than words.
    """
    value = cell_at(row, rule.column, place, "tags")
    cells = value.split() if isinstance(value, str) else value
    if not isinstance(cells, Sequence):
        raise CompactLMError(f"{place}: the column {rule.column!r} of columns.tags holds {shown(value)}, which is not a list of tags")
    if len(cells) != len(word_counts):
        raise CompactLMError(f"{place}: the row has {len(word_counts):,} words but {len(cells):,} tags; give each word a tag")
    found: list[str] = []
    for number, (cell, words) in enumerate(zip(cells, word_counts, strict=True)):
        found += continued(_tag(cell, rule, f"{place}: tag {number + 1} in the column {rule.column!r} of columns.tags"), words)
    return tuple(found)


def _tag(cell: object, rule: TagList, what: str) -> str:
    try:
        given = label_text(cell)
    except ValueError as error:
        raise CompactLMError(f"{what} is wrong: {error}; correct the row") from None
    if not given:
        raise CompactLMError(f"{what} is empty; add a tag (O for a word of no entity)")
    if rule.names is None:
        return given
    known = find_label(given, rule.names)
    if known is None:
        raise CompactLMError(f"{what} is {given!r}, which columns.tags.names does not name ({', '.join(rule.names)}); add it there")
    return rule.names[known]
