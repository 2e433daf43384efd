"""The split of each row in a stable split. Duplicates are dropped by it, so a text keeps its split when a copy of it is added."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.wholes import passages
from compactlm.draws import draw_bits
from compactlm.params import Split

_OTHER = re.compile(r"[\W_]+")
_OTHER_ASCII = bytes(code for code in range(128) if not chr(code).isalnum())
Homes = npt.NDArray[np.int8]  # the number of each row's split in artifacts.SPLITS; -1 for a row that is left out
TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))
HOME = pa.field("home", pa.int8())  # the split of a row; 0 for every row if the split is not stable
PLACED_BY = ("id", "source", "document", "text")


def duplicate_key(text: str) -> str:
    """Return the letters and digits of a text in lower case. Near-exact duplicates have the same result."""
    folded = text.casefold()
    if folded.isascii():  # true for most texts, and ten times as fast
        return folded.encode().translate(None, _OTHER_ASCII).decode() or text
    return _OTHER.sub("", folded) or text


def draw_place(name: str, source: str, document: str, text: str, seed: int) -> int:
    """Return a 64-bit draw by seed and document. For a row that is its own document, the text's letters and digits replace it.

    Of a pair the longer text counts, so all pairs of a passage have the same draw. A row is its own document if `document` equals `name`,
    the id of the row.
    """
    # Released splits depend on these draws: a change of the parts would move rows between splits.
    if document == name:
        return draw_bits(seed, "text", duplicate_key(text))
    return draw_bits(seed, "document", source, document)


def place(drawn: npt.NDArray[np.uint64], sources: Iterable[str], split: Split) -> Homes:
    """Return the split of each row by its draw, or by `split.sources` if its source is listed there.

    A change of the share of validation does not change the test split.

    Args:
        drawn: the draw of each row.
        sources: the source of each row.
        split: the shares of the splits, and the sources that go to one split as a whole.
    """
    share = drawn / 2**64
    homes = np.full(len(drawn), TRAIN, dtype=np.int8)
    homes[share < split.test + split.validation] = VALIDATION
    homes[share < split.test] = TEST
    if not split.sources:
        return homes
    given = np.array([SPLITS.index(split.sources[name]) if name in split.sources else -1 for name in sources], dtype=np.int8)
    return np.where(given >= 0, given, homes).astype(np.int8)


@dataclasses.dataclass(frozen=True, slots=True)
class Placing:
    """Replaces the columns that decide the split of each row by the split. If the split is not stable, it is 0 for every row."""

    split: Split | None
    seed: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that decide the split of a row."""
        return PLACED_BY if self.split is not None and self.split.placement == "stable" else ()

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the table with the column HOME, and without document and text."""
        homes = np.zeros(len(table), dtype=np.int8)
        if self.split is not None and self.columns:
            names, sources, documents = (table[name].to_pylist() for name in PLACED_BY if name != "text")
            rows = zip(names, sources, documents, passages(table), strict=True)
            drawn = np.array([draw_place(*row, self.seed) for row in rows], dtype=np.uint64)
            homes = place(drawn, sources, self.split)
            table = table.drop_columns([name for name in ("document", "text", "pair") if name in table.column_names])
        return table.append_column(HOME, pa.array(homes))
