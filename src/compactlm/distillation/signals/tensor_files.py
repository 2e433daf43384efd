"""Write and read slices of tensors in a safetensors file, so that a cache of many gigabytes needs memory for one batch only.

The safetensors library maps the whole file into memory, where every page that was read counts as memory of the process.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from compactlm.errors import CompactLMError

TYPES = {"F16": torch.float16, "F32": torch.float32, "I32": torch.int32, "I64": torch.int64}
ORDER = ("I64", "F32", "I32", "F16")  # the library's order of tensors, and then by name
FIX = "run `dvc checkout`, or `dvc repro --force signals`"


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn a library's error about a damaged file into a CompactLMError.

    Raises:
        CompactLMError: the file cannot be read.
    """
    try:
        yield
    except (SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # an error of the system, not of the content
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CompactLMError(f"{path} is damaged ({reason}); {FIX}") from None


class TensorOnDisk:
    """A tensor on the disk. Slices of its first dimension can be read and written."""

    def __init__(self, file: FileIO, offset: int, dtype: torch.dtype, shape: list[int]) -> None:
        """Take the open file, the tensor's offset in it, its type and its shape."""
        self.file, self.offset, self.dtype, self.shape = file, offset, dtype, shape
        self.row = dtype.itemsize
        for length in shape[1:]:
            self.row *= length

    def read(self, first: int, last: int | None) -> torch.Tensor:
        """Return the elements from `first` up to, but not including, `last`; None reads to the end.

        Raises:
            CompactLMError: the file was truncated after it was opened.
        """
        count = (self.shape[0] if last is None else last) - first
        found = torch.empty(count, *self.shape[1:], dtype=self.dtype)
        wanted = memoryview(found.view(-1).view(torch.uint8).numpy()) if found.numel() else memoryview(b"")  # type: ignore[arg-type]
        done = 0
        while done < len(wanted):  # the system may return fewer bytes than requested
            got = os.preadv(self.file.fileno(), [wanted[done:]], self.offset + first * self.row + done)
            if not got:
                raise CompactLMError(f"{self.file.name} ends {len(wanted) - done} bytes early; {FIX}")
            done += got
        return found

    def write(self, first: int, values: torch.Tensor) -> None:
        """Write values, converted to this tensor's type, from element `first` on."""
        kept = values.detach().to(device="cpu", dtype=self.dtype).contiguous()
        rest = memoryview(kept.view(-1).view(torch.uint8).numpy()) if kept.numel() else memoryview(b"")  # type: ignore[arg-type]
        place = self.offset + first * self.row
        while rest:
            done = os.pwrite(self.file.fileno(), rest, place)
            rest, place = rest[done:], place + done


def create_tensors(path: Path, shapes: Mapping[str, tuple[torch.dtype, Sequence[int]]]) -> dict[str, TensorOnDisk]:
    """Create a file with tensors of zeros. It has the same bytes as a file of the safetensors library."""
    codes = {dtype: code for code, dtype in TYPES.items()}
    header, end = {}, 0
    for name in sorted(shapes, key=lambda name: (ORDER.index(codes[shapes[name][0]]), name)):
        dtype, shape = shapes[name]
        start, end = end, end + torch.Size(shape).numel() * dtype.itemsize
        header[name] = {"dtype": codes[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    file = FileIO(path, "r+")
    file.truncate(8 + len(text) + end)
    return _tensors(file, header, 8 + len(text))


def _tensors(file: FileIO, header: Mapping[str, Any], begin: int) -> dict[str, TensorOnDisk]:
    return {
        name: TensorOnDisk(file, begin + entry["data_offsets"][0], TYPES[entry["dtype"]], entry["shape"]) for name, entry in header.items()
    }


def read_tensors(path: Path) -> dict[str, TensorOnDisk]:
    """Return the tensors of a file. The file stays open as long as they are used.

    Raises:
        CompactLMError: the file is truncated or is not a safetensors file.
    """
    with damage(path):
        with safe_open(path, framework="pt"):  # checks the header
            pass
        file = FileIO(path)
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        return _tensors(file, header, 8 + size)
