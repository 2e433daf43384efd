"""Members of zip and tar archives, read as data, with a bound on the bytes that they unpack to."""

from __future__ import annotations

import bz2
import difflib
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from compactlm.errors import CompactLMError
from compactlm.text.formats.allowance import Allowance

_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError),
    *(OverflowError, MemoryError),
)
_PACKED: tuple[tuple[bytes, Callable[..., Any]], ...] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


class _Counted(io.RawIOBase):
    """A stream of unpacked bytes, whose number an allowance bounds."""

    def __init__(self, unpacked: IO[bytes], allowance: Allowance) -> None:
        self._unpacked, self._allowance = unpacked, allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview[int], /) -> int:  # type: ignore[override]
        data = self._unpacked.read(len(buffer))
        self._allowance.take(len(data))
        buffer[: len(data)] = data
        return len(data)


def read_member(path: Path, members: list[str]) -> bytes:
    """Return the bytes of a member of a zip or tar archive. Further entries of `members` name members of nested archives.

    Raises:
        CompactLMError: a member is missing, an archive is damaged, or it unpacks to more than 200 times its size and more than 64 MB.
    """
    where = path.name
    content = path.read_bytes()
    allowance = Allowance(len(content), where)
    for member in members:
        found = [data for _, data in _entries(content, where, allowance, member.__eq__) if data is not None]
        if not found:
            raise _missing(content, where, member)
        content, where = found[-1], f"{where}/{member}"
    return content


def extract_directory(path: Path, directory: str, target: Path) -> list[Path]:
    """Copy all files below `directory` of an archive to `target`, and return their sorted paths relative to it.

    Raises:
        CompactLMError: the archive is damaged, has no file there, has a link or a path that leads out of it, or unpacks to more than 200
            times its size and more than 64 MB.
    """
    prefix = PurePosixPath(directory)
    content = path.read_bytes()
    written = []
    for name, data in _entries(content, path.name, Allowance(len(content), path.name), lambda name: _is_below(name, prefix)):
        inside = PurePosixPath(name)
        if data is None or ".." in inside.parts:
            raise CompactLMError(f"{path.name} contains {name!r}, which is a link or leads out of the archive; use another archive")
        relative = Path(*inside.relative_to(prefix).parts)
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        (target / relative).write_bytes(data)
        written.append(relative)
    if not written:
        raise CompactLMError(f"{path.name} contains no files below {directory}/; correct the directory in params.yaml")
    return sorted(written)


def _is_below(name: str, prefix: PurePosixPath) -> bool:
    return PurePosixPath(name).is_relative_to(prefix) and PurePosixPath(name) != prefix


def _entries(content: bytes, where: str, allowance: Allowance, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and bytes of the wanted entries of a zip or tar archive, without directories; the bytes of links are None."""
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            yield from _zip_entries(content, allowance, wanted)
        else:
            yield from _tar_entries(content, allowance, wanted)
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CompactLMError(
            f"{where} cannot be read as an archive ({reason}); check member and archive in params.yaml, or download it again"
        ) from None


def _zip_entries(content: bytes, allowance: Allowance, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.is_dir() and wanted(entry.filename):
                if stat.S_ISLNK(entry.external_attr >> 16):
                    yield entry.filename, None
                else:
                    allowance.take(entry.file_size)  # zipfile reads no more than this
                    yield entry.filename, archive.read(entry)


def _tar_entries(content: bytes, allowance: Allowance, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    unpack = next((unpack for magic, unpack in _PACKED if content.startswith(magic)), None)
    unpacked = io.BytesIO(content) if unpack is None else _Counted(unpack(io.BytesIO(content)), allowance)
    # A stream: tarfile reads what it skips only through `unpacked`, which counts it.
    with tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for entry in archive:
            if not entry.isdir() and wanted(entry.name):
                if entry.issparse():  # may be much larger than its bytes in the archive
                    allowance.take(entry.size)
                file = archive.extractfile(entry) if entry.isreg() else None
                yield entry.name, None if file is None else file.read()


def _missing(content: bytes, where: str, member: str) -> CompactLMError:
    names: list[str] = []
    for _ in _entries(content, where, Allowance(len(content), where), lambda name: bool(names.append(name))):  # type: ignore[func-returns-value]
        pass
    alike = difflib.get_close_matches(member, names, n=1, cutoff=0.0)
    hint = f"the nearest name in it is {alike[0]!r}" if alike else "it is empty"
    return CompactLMError(f"{where} has no member {member} ({hint}); correct member in params.yaml")
