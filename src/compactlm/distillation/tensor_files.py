"""Tensors of a safetensors file, read a slice at a time: a cache of many gigabytes takes no memory but for what a batch needs.

The library itself maps the file, so that all pages that were ever read count as the process's memory.
"""

from __future__ import annotations

import json
import os
from io import FileIO
from pathlib import Path

import torch
from safetensors import safe_open

from compactlm.errors import CompactLMError

TYPES = {"F16": torch.float16, "F32": torch.float32, "I32": torch.int32, "I64": torch.int64}


class TensorOnDisk:
    """A tensor of which any run of its first dimension can be read."""

    def __init__(self, file: FileIO, offset: int, dtype: torch.dtype, shape: list[int]) -> None:
        """Take the open file, where in it the tensor begins, its type and its shape."""
        self.file, self.offset, self.dtype, self.shape = file, offset, dtype, shape
        self.row = dtype.itemsize
        for length in shape[1:]:
            self.row *= length

    def read(self, first: int, last: int | None) -> torch.Tensor:
        """Return the elements from `first` to before `last`; None reads to the end.

        Raises:
            CompactLMError: the file was cut since it was opened.
        """
        count = (self.shape[0] if last is None else last) - first
        found = torch.empty(count, *self.shape[1:], dtype=self.dtype)
        wanted = memoryview(found.view(-1).view(torch.uint8).numpy()) if found.numel() else memoryview(b"")  # type: ignore[arg-type]
        done = 0
        while done < len(wanted):  # the system may give less than was asked for
            got = os.preadv(self.file.fileno(), [wanted[done:]], self.offset + first * self.row + done)
            if not got:
                raise CompactLMError(
                    f"{self.file.name} ends {len(wanted) - done} bytes early; run `dvc checkout`, or `dvc repro --force signals`"
                )
            done += got
        return found


def read_tensors(path: Path) -> dict[str, TensorOnDisk]:
    """Return the tensors of a file, which stays open as long as they are used."""
    with safe_open(path, framework="pt"):  # checks the header
        pass
    file = FileIO(path)
    size = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return {
        name: TensorOnDisk(file, 8 + size + entry["data_offsets"][0], TYPES[entry["dtype"]], entry["shape"])
        for name, entry in header.items()
    }
