"""MinHash signatures (Broder 1997) of the rows of each shard, computed by rensa, and clusters of near-duplicates over all shards.

Memory holds the hashes of one band at a time, 8 bytes per row, and arrays of row numbers. The signatures stay in a file.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from rensa import RMinHash

from compactlm.corpus.duplicates.clusters import Integers, band_hashes, choose_bands, cluster
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.duplicates.wholes import SEPARATOR, both_texts, longer, passages, shorter
from compactlm.params import NearDuplicates
from compactlm.shards.reports import Report
from compactlm.shards.shards import ShardStep

_BATCH = 10_000
_WORD = re.compile(r"[^\W_]+")


def word_shingles(text: str, size: int) -> list[str]:
    """Return the distinct runs of `size` words, in lower case, without punctuation, and sorted.

    A text with fewer words, or without letters and digits, is a single shingle.
    """
    words = _WORD.findall(text.casefold())
    if not words:
        return [text]
    if len(words) <= size:
        return [" ".join(words)]
    return sorted({" ".join(words[start : start + size]) for start in range(len(words) - size + 1)})


def character_shingles(text: str, size: int) -> list[str]:
    """Return the sorted, distinct runs of `size` characters of the lower-case words, joined by single spaces."""
    plain = " ".join(_WORD.findall(text.casefold())) or text
    return sorted({plain[start : start + size] for start in range(max(1, len(plain) - size + 1))})


def signatures(texts: Sequence[str], settings: NearDuplicates, seed: int, marks: Sequence[str] | None = None) -> npt.NDArray[np.uint32]:
    """Return the MinHash signatures of texts as an array of shape (texts, permutations).

    The share of equal positions in two signatures estimates the Jaccard similarity of the shingles of the two texts. Texts with different
    `marks` have no shingle in common.
    """
    shingles = word_shingles if settings.unit == "words" else character_shingles
    found = np.empty((len(texts), settings.permutations), dtype=np.uint32)
    for row, text in enumerate(texts):  # fill row by row, because a list of Python integers would take ten times the memory
        hashes = RMinHash(num_perm=settings.permutations, seed=seed)
        found_in_text = shingles(text, settings.size)
        hashes.update([f"{marks[row]}{SEPARATOR}{shingle}" for shingle in found_in_text] if marks and marks[row] else found_in_text)
        found[row] = hashes.digest()
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class SignShard(ShardStep):
    """Turns a shard of documents into a shard with the id, the signature and the hash of each band of every row.

    A pair has the signature of its longer text. With `whole`, pairs are near-duplicates only if their shorter texts also have the same
    letters and digits.
    """

    settings: NearDuplicates
    seed: int
    whole: bool = False

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the signatures of all rows, in their order."""
        marks = [_mark(*both) for both in both_texts(table)] if self.whole and "pair" in table.column_names else None
        found = signatures(passages(table), self.settings, self.seed, marks)
        width = 4 * self.settings.permutations
        packed = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(width), len(found), [None, pa.py_buffer(np.ascontiguousarray(found, dtype="<u4").tobytes())]
        )
        hashes = band_hashes(found, *choose_bands(self.settings.threshold, self.settings.permutations))
        columns = {"id": table["id"], "signature": packed}
        columns |= {_band_name(band): pa.array(values, pa.uint64()) for band, values in enumerate(hashes)}
        return pa.table(columns), Report()


def _mark(text: str, pair: str | None) -> str:
    return "" if pair is None else f"{int(longer(text, pair) is pair)}{duplicate_key(shorter(text, pair))}"


def _band_name(band: int) -> str:
    return f"band_{band:03d}"


class SignatureShards:
    """Shards of signatures, read column by column. Rows are numbered across all shards, in the order of `paths`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open the shards that SignShard made."""
        self._paths = list(paths)
        self._sizes = [pq.read_metadata(path).num_rows for path in self._paths]

    def __len__(self) -> int:
        return sum(self._sizes)

    def band(self, number: int) -> npt.NDArray[np.uint64]:
        """Return the hashes of a band, one per row."""
        name = _band_name(number)
        parts = [pq.read_table(path, columns=[name])[name].to_numpy() for path in self._paths]
        return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])

    def clusters(self, settings: NearDuplicates) -> Integers:
        """Return for each row the smallest row number in its cluster of near-duplicates.

        All signatures are written to a temporary file next to the shards, so that those of a few rows can be read. The file takes 4
        bytes per permutation and row.
        """
        bands, _ = choose_bands(settings.threshold, settings.permutations)
        with tempfile.TemporaryFile(dir=self._paths[0].parent if self._paths else None) as file:
            for path in self._paths:
                with pq.ParquetFile(path) as shard:
                    for batch in shard.iter_batches(_BATCH, columns=["signature"]):
                        file.write(b"".join(batch["signature"].to_pylist()))
            file.flush()
            read = functools.partial(_signatures, file.fileno(), 4 * settings.permutations)
            return cluster(len(self), bands, self.band, read, settings.threshold)


def _signatures(file: int, width: int, rows: Integers) -> npt.NDArray[np.uint32]:
    """Return the signatures of some rows."""
    found = b"".join(os.pread(file, width, row * width) for row in rows.tolist())
    return np.frombuffer(found, dtype="<u4").reshape(len(rows), -1).astype(np.uint32, copy=False)
