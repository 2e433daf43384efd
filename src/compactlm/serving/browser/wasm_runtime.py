"""Get ONNX Runtime for WebAssembly: two files of the package onnxruntime-web, from npm or from a copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from compactlm.errors import CompactLMError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"  # the build for the CPU alone, half the size of the default
DIGESTS = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
CACHE_VARIABLE = "COMPACTLM_CACHE"
SECONDS = 600
LARGEST = 64_000_000  # bytes of a file; that of the binary is 14 MB
HOW = f"pass an unpacked package or the archive of {PACKAGE} {VERSION} with --runtime"


def load_runtime(given: Path | None = None) -> dict[str, bytes]:
    """Return the files of onnxruntime-web by name. Their SHA-256 must be those with which this version of compactlm was tested.

    Args:
        given: the directory of the unpacked package, such as node_modules/onnxruntime-web, or its .tgz archive. By default npm downloads
            the archive once, and the files are kept in COMPACTLM_CACHE or in the user's cache directory.

    Raises:
        CompactLMError: the files cannot be read or downloaded, or belong to another version.
    """
    if given is not None:
        return _checked(_reader(given), given)
    kept = Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("compactlm", appauthor=False)) / f"{PACKAGE}-{VERSION}"
    if all((kept / "dist" / name).is_file() for name in DIGESTS):
        return _checked(_reader(kept), kept)
    with tempfile.TemporaryDirectory(prefix="compactlm-npm-") as scratch:
        archive = _download(Path(scratch))
        files = _checked(_reader(archive), archive)
    _keep(files, kept / "dist")
    return files


def _download(scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise CompactLMError(f"npm, which downloads {PACKAGE}, cannot be found; install Node.js, or {HOW}")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--loglevel=error", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise CompactLMError(f"npm did not download {PACKAGE} {VERSION} in {SECONDS} s; try again, or {HOW}") from None
    found = list(scratch.glob("*.tgz"))
    if done.returncode != 0 or not found:
        reason = " ".join(done.stderr.split())[:200] or f"status {done.returncode}"
        raise CompactLMError(f"npm could not download {PACKAGE} {VERSION} ({reason}); check the network, or {HOW}")
    return found[0]


def _reader(place: Path) -> Callable[[str], bytes]:
    """Return a function that reads a file of the package by its path."""
    if place.is_dir():
        return lambda name: (place / "dist" / name).read_bytes()

    def read(name: str) -> bytes:
        with tarfile.open(place) as archive:
            member = archive.extractfile(f"package/dist/{name}")
            if member is None:
                raise KeyError(name)
            if len(content := member.read(LARGEST + 1)) > LARGEST:
                raise tarfile.TarError(f"it has more than {LARGEST:,} bytes")
            return content

    return read


def _checked(read: Callable[[str], bytes], place: Path) -> dict[str, bytes]:
    files = {}
    for name, digest in DIGESTS.items():
        try:
            files[name] = read(name)
        except (OSError, KeyError, EOFError, tarfile.TarError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CompactLMError(f"{name} of {PACKAGE} cannot be read from {place} ({reason}); {HOW}") from None
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise CompactLMError(f"{name} in {place} is not that of {PACKAGE} {VERSION}; {HOW}")
    return files


def _keep(files: dict[str, bytes], directory: Path) -> None:
    """Write the files to the cache. If the cache cannot be written, the next call downloads the files again."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            unfinished = directory / f".{name}.{os.getpid()}"
            unfinished.write_bytes(content)
            unfinished.replace(directory / name)
    except OSError:
        shutil.rmtree(directory, ignore_errors=True)
