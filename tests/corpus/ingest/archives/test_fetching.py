import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from compactlm.corpus.ingest.archives import fetching
from compactlm.errors import CompactLMError
from compactlm.params import PackageArchive


def zip_file(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def wheel(directory: Path, text: bytes = b"hello") -> tuple[Path, PackageArchive]:
    info = "demo_text-1.0.dist-info"
    members = {
        "demo_text/data.txt": text,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: demo-text\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    path = zip_file(directory / "demo_text-1.0-py3-none-any.whl", members)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, PackageArchive(package="demo-text", version="1.0", archive="wheel", sha256=sha256)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the only package index of pip, and an empty cache."""
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path / "cache"))
    return directory


def test_an_archive_is_fetched_by_pip_unless_the_cache_has_it_unchanged(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, archive = wheel(index)
    fetched = fetching.fetch(archive)
    assert fetched.read_bytes() == path.read_bytes()
    assert fetched == fetching.cache_directory() / archive.sha256 / path.name
    assert [entry.name for entry in fetching.cache_directory().iterdir()] == [archive.sha256]
    fetched.write_bytes(b"altered")
    assert fetching.fetch(archive).read_bytes() == path.read_bytes()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was called for a cached archive"))
    assert fetching.fetch(archive) == fetched


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, r"demo-text 1\.0 on the package index does not have the sha256 0{64}"),
        ({"package": "no-such-demo-text"}, r"No matching distribution.*pip config list"),
    ],
)
def test_a_wrong_hash_or_a_missing_package_is_refused(index: Path, change: dict[str, str], message: str) -> None:
    archive = wheel(index)[1].model_copy(update=change)
    with pytest.raises(CompactLMError, match=message) as caught:
        fetching.fetch(archive)
    assert "\n" not in str(caught.value)
    assert not list(fetching.cache_directory().iterdir())


def test_the_reason_of_pip_is_given_without_addresses_and_a_full_disk_is_an_os_error(index: Path) -> None:
    log = "Looking in https://me:secret@host/simple\nERROR: no https://me:secret@host/x found.\n\n[notice] A new pip\n"
    assert fetching.last_words(log) == "no (address) found"
    assert fetching.last_words("") == "nothing"
    assert isinstance(fetching._failure(wheel(index)[1], "ERROR: Could not install: [Errno 28] No space left on device"), OSError)
