"""An index of texts by their embeddings. It is built once, kept on disk, and searched exactly."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import mmap
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from safetensors import safe_open
from safetensors.numpy import save_file

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding

CACHE_VARIABLE = "COMPACTLM_CACHE"
VECTORS, ENTRIES, ABOUT = "vectors.safetensors", "entries.jsonl", "index.json"

Entry = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Hit:
    """A search result: an entry and its cosine similarity with the query, -1 to 1."""

    entry: Entry
    score: float


class VectorIndex:
    """Unit vectors in memory and entries on disk; see `open_index`.

    An open index does not change when another process rebuilds it in the same directory.
    """

    def __init__(self, directory: Path) -> None:
        """Open an index that was built before.

        Raises:
            OSError, ValueError, KeyError: the index is missing or damaged.
        """
        about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        with safe_open(directory / VECTORS, framework="numpy") as kept:
            self.vectors, self.offsets = kept.get_tensor("vectors"), kept.get_tensor("offsets")
        with (directory / ENTRIES).open("rb") as entries:
            self.entries = mmap.mmap(entries.fileno(), 0, access=mmap.ACCESS_READ)
        if _checksum(self.vectors, self.offsets, self.entries) != about["checksum"]:
            raise ValueError("a file is damaged, or the files belong to different indexes")

    def __len__(self) -> int:
        return len(self.offsets)

    def search(self, vector: Array, count: int) -> list[Hit]:
        """Return the `count` entries nearest to a unit vector, float32 [width], the nearest first."""
        scores, count = self.vectors @ vector, min(count, len(self))
        # Every entry that ties with the last hit is a candidate, so that the first entries win.
        candidates = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
        best = candidates[np.argsort(-scores[candidates], kind="stable")][:count]
        return [Hit(self._entry(int(position)), float(scores[position])) for position in best]

    def _entry(self, position: int) -> Entry:
        start = int(self.offsets[position])
        entry: Entry = json.loads(self.entries[start : self.entries.find(b"\n", start)])
        return entry


def open_index(
    directory: Path, fingerprint: str, entries: Callable[[], Sequence[Entry]], embed: Callable[[Sequence[str]], Array]
) -> VectorIndex:
    """Open an index. Build it if it is missing or damaged, or if the fingerprint of its inputs has changed.

    If the old vectors had another width, the logger "compactlm" says so.

    `entries` returns the entries, each with a `text`, and `embed` returns unit vectors of texts. Both are called only to build.

    Raises:
        CompactLMError: the directory cannot be written, or has other files.
    """
    if _fingerprint(directory) == fingerprint:
        try:
            return VectorIndex(directory)
        except Exception:  # noqa: BLE001, S110 - any damaged index can be rebuilt
            pass
    before = _width(directory)
    _build(directory, fingerprint, entries(), embed)
    index = VectorIndex(directory)
    width = index.vectors.shape[1]
    if before not in (None, width):
        logging.getLogger("compactlm").warning(
            "the index in %s is built again, because its vectors had %d numbers and those of this model have %d", directory, before, width
        )
    return index


def _fingerprint(directory: Path) -> str | None:
    try:
        return str(json.loads((directory / ABOUT).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _width(directory: Path) -> int | None:
    """Return the width of the vectors of an index; None if there is none, or a damaged one."""
    try:
        with safe_open(directory / VECTORS, framework="numpy") as kept:
            return int(kept.get_slice("vectors").get_shape()[1])
    except Exception:  # noqa: BLE001 - any damaged index can be rebuilt
        return None


def _build(directory: Path, fingerprint: str, entries: Sequence[Entry], embed: Callable[[Sequence[str]], Array]) -> None:
    vectors = np.ascontiguousarray(embed([entry["text"] for entry in entries]))  # safetensors writes the memory of an array
    lines = [(json.dumps(entry, ensure_ascii=False) + "\n").encode() for entry in entries]
    offsets = np.cumsum([0, *map(len, lines)], dtype=np.int64)
    offsets = offsets[:-1].copy()
    about = {"fingerprint": fingerprint, "checksum": _checksum(vectors, offsets, b"".join(lines))}
    if directory.exists() and not _is_own(directory):
        raise CompactLMError(f"{directory} has files that are not part of an index; pass another directory with --index")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # A unique name keeps apart two processes that build at the same time.
        unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            (unfinished / ENTRIES).write_bytes(b"".join(lines))
            save_file({"vectors": vectors, "offsets": offsets}, unfinished / VECTORS)
            (unfinished / ABOUT).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            shutil.rmtree(directory, ignore_errors=True)
            try:
                os.replace(unfinished, directory)
            except OSError:
                if _fingerprint(directory) != fingerprint:  # otherwise another process has just built the same index
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise CompactLMError(
            f"the index cannot be written to {directory} ({error.strerror}); make it writable, or set {CACHE_VARIABLE} to another directory"
        ) from None


def _checksum(vectors: Array, offsets: Array, entries: bytes | mmap.mmap) -> int:
    """Return the CRC-32 of an index, which tells any damage of a few bytes, in half a millisecond per megabyte."""
    return zlib.crc32(entries, zlib.crc32(offsets.data, zlib.crc32(vectors.data)))


def _is_own(directory: Path) -> bool:
    """Return whether a directory has only files of an index, so that it may be replaced."""
    return directory.is_dir() and {path.name for path in directory.iterdir()} <= {VECTORS, ENTRIES, ABOUT}


def index_directory(name: str) -> Path:
    """Return the directory of an index by its name, in COMPACTLM_CACHE or the user's cache directory."""
    root = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("compactlm", appauthor=False)
    return Path(root) / "indexes" / hashlib.sha256(name.encode()).hexdigest()[:24]


def open_file_index(
    path: Path, kind: str, directory: Path | None, embedding: SentenceEmbedding, entries: Callable[[], Sequence[Entry]]
) -> VectorIndex:
    """Open the index of a file's entries in a directory; None takes a directory in the user's cache.

    Raises:
        CompactLMError: the file cannot be read, or the index cannot be written.
    """
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); pass a readable file") from None
    directory = directory or index_directory(f"{kind}{path.resolve()} {embedding.model.directory.path.resolve()}")
    return open_index(directory, f"3 {digest} {embedding.fingerprint}", entries, embedding.embed)
