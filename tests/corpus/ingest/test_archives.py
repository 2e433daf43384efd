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
        for name, aim in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, aim
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
    """A directory that pip takes for the only index, and a cache of its own."""
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path / "cache"))
    return directory


def test_fetch_takes_the_archive_from_pip_and_then_from_the_cache(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, archive = wheel(index)
    fetched = archives.fetch(archive)
    assert fetched.read_bytes() == path.read_bytes()
    assert fetched == archives.cache_directory() / archive.sha256 / path.name
    assert [entry.name for entry in archives.cache_directory().iterdir()] == [archive.sha256]
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was called for a cached archive"))
    assert archives.fetch(archive) == fetched


def test_a_cached_file_with_another_hash_is_fetched_anew(index: Path) -> None:
    path, archive = wheel(index)
    archives.fetch(archive).write_bytes(b"altered")
    assert archives.fetch(archive).read_bytes() == path.read_bytes()


def test_a_wrong_hash_on_the_index_names_what_to_do(index: Path) -> None:
    archive = wheel(index)[1].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(CompactLMError, match=r"demo-text 1\.0 on the package index does not have the sha256 0{64}.*correct sha256"):
        archives.fetch(archive)
    assert not list(archives.cache_directory().iterdir())


def test_a_missing_package_gives_pips_reason_and_the_way_out(index: Path) -> None:
    archive = wheel(index)[1].model_copy(update={"package": "no-such-demo-text"})
    with pytest.raises(CompactLMError, match=r"No matching distribution.*pip config list") as caught:
        archives.fetch(archive)
    assert "\n" not in str(caught.value)


def test_last_words_leaves_out_addresses_and_notices() -> None:
    log = "Looking in https://me:secret@host/simple\nERROR: no https://me:secret@host/x found.\n\n[notice] A new pip\n"
    assert archives.last_words(log) == "no (address) found"
    assert archives.last_words("") == "nothing"


def test_a_full_disk_is_reported(index: Path) -> None:
    archive = wheel(index)[1]
    failure = archives._failure(archive, "ERROR: Could not install: [Errno 28] No space left on device")
    assert isinstance(failure, OSError)


def test_read_member_goes_into_nested_archives_and_names_the_nearest_of_a_missing_member(tmp_path: Path) -> None:
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


def test_extract_directory_copies_what_lies_below_it_alone(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "m.whl", {"pkg/model/config.json": b"{}", "pkg/model/sub/x": b"1", "pkg/modelling.py": b"", "y": b""})
    assert archives.extract_directory(path, "pkg/model", tmp_path / "out") == [Path("config.json"), Path("sub/x")]
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == ["config.json", "x"]
    with pytest.raises(CompactLMError, match="contains no files below pkg/none/"):
        archives.extract_directory(path, "pkg/none", tmp_path / "out")


@pytest.mark.parametrize(
    "content", [tar_bytes({"model/../../outside": b"x"}), tar_bytes({"model/a": b""}, links={"model/link": "/etc/passwd"})]
)
def test_extract_directory_refuses_what_leads_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evil.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"evil\.tar\.gz .* leads out of the archive"):
        archives.extract_directory(path, "model", tmp_path / "target" / "deep")
    assert not list(tmp_path.rglob("outside"))
