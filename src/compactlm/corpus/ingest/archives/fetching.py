"""Archives of a Python package index, downloaded by the machine's own pip and read as data.

pip knows the machine's mirrors, proxies and credentials. No archive is installed or imported. The only code that runs is the metadata step
of a source archive; pip runs it after it has checked the sha256. Each archive is pinned by its sha256, and a file in the download cache is
used only after its sha256 has been computed again.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from compactlm.artifacts import file_sha256
from compactlm.errors import CompactLMError
from compactlm.params import PackageArchive

CACHE_VARIABLE = "COMPACTLM_CACHE"


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
