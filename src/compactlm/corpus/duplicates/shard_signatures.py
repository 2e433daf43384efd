"""Near-duplicates of a corpus in shards: signatures a shard, and clusters over all of them.

Of all rows one band's hashes are in memory at a time, 8 bytes each, with arrays of row numbers; the signatures stay in a file.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.corpus.duplicates.clusters import Integers, band_hashes, choose_bands, cluster
from compactlm.corpus.duplicates.near_duplicates import signatures
from compactlm.params import NearDuplicates
from compactlm.shards.shards import Report

_BATCH = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class SignShard:
    """Makes of a shard its signatures: a row each, with its id, its signature and the hash of each band.

    Attributes:
        settings: how near-duplicates are found.
        seed: draws the permutations.
    """

    settings: NearDuplicates
    seed: int

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {"near_duplicates": self.settings.model_dump(), "seed": self.seed}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the signatures of all rows, in their order."""
        found = signatures(table["text"].to_pylist(), self.settings, self.seed)
        width = 4 * self.settings.permutations
        packed = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(width), len(found), [None, pa.py_buffer(np.ascontiguousarray(found, dtype="<u4").tobytes())]
        )
        hashes = band_hashes(found, *choose_bands(self.settings.threshold, self.settings.permutations))
        columns = {"id": table["id"], "signature": packed}
        columns |= {_band_name(band): pa.array(values, pa.uint64()) for band, values in enumerate(hashes)}
        return pa.table(columns), Report()


def _band_name(band: int) -> str:
    return f"band_{band:03d}"


class SignatureShards:
    """Shards of signatures, read column by column; rows are numbered through all shards, in the order of `paths`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Take the shards that SignShard made."""
        self._paths = list(paths)
        self._sizes = [pq.read_metadata(path).num_rows for path in self._paths]

    def __len__(self) -> int:
        return sum(self._sizes)

    def ids(self) -> list[str]:
        """Return the id of each row."""
        return [name for path in self._paths for name in pq.read_table(path, columns=["id"])["id"].to_pylist()]

    def band(self, number: int) -> npt.NDArray[np.uint64]:
        """Return the hashes of a band, one a row."""
        name = _band_name(number)
        parts = [pq.read_table(path, columns=[name])[name].to_numpy() for path in self._paths]
        return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])

    def clusters(self, settings: NearDuplicates) -> Integers:
        """Return for each row the smallest number of a row in its cluster of near-duplicates.

        The signatures of all rows are written side by side to a file that has no name, beside the shards, so that those of a few
        rows can be read; it takes 4 bytes a permutation and row.
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
