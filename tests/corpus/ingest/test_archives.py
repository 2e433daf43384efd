import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from compactlm.corpus.ingest import archives
from compactlm.errors import CompactLMError
from compactlm.params import PackageArchive


def tar_bytes(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return buffer.getvalue()


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
    fetched = archives.fetch(archive)
    assert fetched.read_bytes() == path.read_bytes()
    assert fetched == archives.cache_directory() / archive.sha256 / path.name
    assert [entry.name for entry in archives.cache_directory().iterdir()] == [archive.sha256]
    fetched.write_bytes(b"altered")
    assert archives.fetch(archive).read_bytes() == path.read_bytes()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was called for a cached archive"))
    assert archives.fetch(archive) == fetched


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
        archives.fetch(archive)
    assert "\n" not in str(caught.value)
    assert not list(archives.cache_directory().iterdir())


def test_the_reason_of_pip_is_given_without_addresses_and_a_full_disk_is_an_os_error(index: Path) -> None:
    log = "Looking in https://me:secret@host/simple\nERROR: no https://me:secret@host/x found.\n\n[notice] A new pip\n"
    assert archives.last_words(log) == "no (address) found"
    assert archives.last_words("") == "nothing"
    assert isinstance(archives._failure(wheel(index)[1], "ERROR: Could not install: [Errno 28] No space left on device"), OSError)


def test_read_member_reads_nested_archives_and_names_the_member_nearest_to_a_missing_one(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "outer.whl", {"a/inner.tar.gz": tar_bytes({"b/text.txt": b"deep"})})
    assert archives.read_member(path, ["a/inner.tar.gz", "b/text.txt"]) == b"deep"
    path = zip_file(tmp_path / "outer.zip", {"a/test.jsonl": b"", "other": b""})
    with pytest.raises(CompactLMError, match=r"outer\.zip has no member a/tests\.jsonl .*nearest name in it is a/test\.jsonl"):
        archives.read_member(path, ["a/tests.jsonl"])


@pytest.mark.parametrize("content", [b"no archive", tar_bytes({"x": b"y" * 9999})[:60]])
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"broken\.tar\.gz cannot be read as an archive"):
        archives.read_member(path, ["x"])


def test_extract_directory_copies_only_the_files_below_it(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "m.whl", {"pkg/model/config.json": b"{}", "pkg/model/sub/x": b"1", "pkg/modelling.py": b"", "y": b""})
    assert archives.extract_directory(path, "pkg/model", tmp_path / "out") == [Path("config.json"), Path("sub/x")]
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == ["config.json", "x"]
    with pytest.raises(CompactLMError, match="contains no files below pkg/none/"):
        archives.extract_directory(path, "pkg/none", tmp_path / "out")


@pytest.mark.parametrize(
    "content", [tar_bytes({"model/../../outside": b"x"}), tar_bytes({"model/a": b""}, links={"model/link": "/etc/passwd"})]
)
def test_extract_directory_refuses_paths_outside_the_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evil.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"evil\.tar\.gz .* leads out of the archive"):
        archives.extract_directory(path, "model", tmp_path / "target" / "deep")
    assert not list(tmp_path.rglob("outside"))
