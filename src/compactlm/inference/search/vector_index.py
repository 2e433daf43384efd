"""An index of texts by their embeddings: built once, kept on the disk, searched exactly."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import platformdirs
from safetensors import safe_open
from safetensors.numpy import save_file

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError

CACHE_VARIABLE = "COMPACTLM_CACHE"
VECTORS, ENTRIES, ABOUT = "vectors.safetensors", "entries.jsonl", "index.json"

Entry = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Hit:
    """An entry that was found, and its cosine similarity with what was asked for, -1 to 1."""

    entry: Entry
    score: float


class VectorIndex:
    """Unit vectors in memory, entries on the disk; see `open_index`.

    It stays what it was when another process builds it again in the same place.
    """

    def __init__(self, directory: Path) -> None:
        """Open a kept index.

        Raises:
            OSError, ValueError, KeyError: it is missing or damaged.
        """
        about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        with safe_open(directory / VECTORS, framework="numpy") as kept:
            vectors, self.offsets = kept.get_tensor("vectors"), kept.get_tensor("offsets")
        with (directory / ENTRIES).open("rb") as entries:
            self.entries = mmap.mmap(entries.fileno(), 0, access=mmap.ACCESS_READ)
        if not len(vectors) == len(self.offsets) == about["entries"] or len(self.entries) != about["bytes"]:
            raise ValueError("its parts are not of one index")
        self.index = faiss.IndexFlatIP(vectors.shape[1])
        self.index.add(vectors)

    def __len__(self) -> int:
        return len(self.offsets)

    def search(self, vector: Array, count: int) -> list[Hit]:
        """Return the `count` entries nearest to a unit vector, float32 [width], the nearest first."""
        scores, positions = self.index.search(vector[None], min(count, len(self)))
        return [Hit(self._entry(int(at)), float(score)) for at, score in zip(positions[0], scores[0], strict=True)]

    def _entry(self, position: int) -> Entry:
        start = int(self.offsets[position])
        entry: Entry = json.loads(self.entries[start : self.entries.find(b"\n", start)])
        return entry


def open_index(
    directory: Path, fingerprint: str, entries: Callable[[], Sequence[Entry]], embed: Callable[[Sequence[str]], Array]
) -> VectorIndex:
    """Open an index, and build it first where there is none, or one of something else.

    Args:
        directory: where it is kept.
        fingerprint: of all that it depends on.
        entries: what to index, each with the `text` that is embedded; only asked for where it must be built.
        embed: unit vectors of texts.

    Raises:
        CompactLMError: it cannot be kept there.
    """
    if _fingerprint(directory) == fingerprint:
        try:
            return VectorIndex(directory)
        except Exception:  # noqa: BLE001, S110 - whatever is wrong with it, it can be built again
            pass
    _build(directory, fingerprint, entries(), embed)
    return VectorIndex(directory)


def _fingerprint(directory: Path) -> str | None:
    try:
        return str(json.loads((directory / ABOUT).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(directory: Path, fingerprint: str, entries: Sequence[Entry], embed: Callable[[Sequence[str]], Array]) -> None:
    vectors = embed([entry["text"] for entry in entries])
    lines = [(json.dumps(entry, ensure_ascii=False) + "\n").encode() for entry in entries]
    offsets = np.cumsum([0, *map(len, lines)], dtype=np.int64)
    about = {"fingerprint": fingerprint, "entries": len(lines), "bytes": int(offsets[-1])}
    if directory.exists() and not _is_own(directory):
        raise CompactLMError(f"{directory} holds something else than an index; name a directory of its own with --index")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own, so that two processes that build at once do not write into each other's files.
        unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            (unfinished / ENTRIES).write_bytes(b"".join(lines))
            save_file({"vectors": vectors, "offsets": offsets[:-1].copy()}, unfinished / VECTORS)
            (unfinished / ABOUT).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            shutil.rmtree(directory, ignore_errors=True)
            try:
                os.replace(unfinished, directory)
            except OSError:
                if _fingerprint(directory) != fingerprint:  # else another process has built the same just now
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise CompactLMError(
            f"the index cannot be kept in {directory} ({error.strerror}); make it writable, or name another directory in {CACHE_VARIABLE}"
        ) from None


def _is_own(directory: Path) -> bool:
    """Return whether nothing else than an index, whole or damaged, lies in a directory, which is removed when one is built there."""
    return directory.is_dir() and {path.name for path in directory.iterdir()} <= {VECTORS, ENTRIES, ABOUT}


def index_directory(name: str) -> Path:
    """Return where an index of this name is kept: in COMPACTLM_CACHE, or the user's cache directory."""
    root = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("compactlm", appauthor=False)
    return Path(root) / "indexes" / hashlib.sha256(name.encode()).hexdigest()[:24]


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
