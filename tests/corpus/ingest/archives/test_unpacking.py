import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from compactlm.corpus.ingest.archives.unpacking import extract_directory, read_member
from compactlm.errors import CompactLMError
from compactlm.text.formats import allowance


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


def test_read_member_reads_nested_archives_and_names_the_member_nearest_to_a_missing_one(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "outer.whl", {"a/inner.tar.gz": tar_bytes({"b/text.txt": b"deep"})})
    assert read_member(path, ["a/inner.tar.gz", "b/text.txt"]) == b"deep"
    path = zip_file(tmp_path / "outer.zip", {"a/test.jsonl": b"", "other": b""})
    with pytest.raises(CompactLMError, match=r"outer\.zip has no member a/tests\.jsonl .*nearest name in it is 'a/test\.jsonl'"):
        read_member(path, ["a/tests.jsonl"])


@pytest.mark.parametrize("content", [b"no archive", tar_bytes({"x": b"y" * 9999})[:60]])
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"broken\.tar\.gz cannot be read as an archive"):
        read_member(path, ["x"])


def test_extract_directory_copies_only_the_files_below_it(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "m.whl", {"pkg/model/config.json": b"{}", "pkg/model/sub/x": b"1", "pkg/modelling.py": b"", "y": b""})
    assert extract_directory(path, "pkg/model", tmp_path / "out") == [Path("config.json"), Path("sub/x")]
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == ["config.json", "x"]
    with pytest.raises(CompactLMError, match="contains no files below pkg/none/"):
        extract_directory(path, "pkg/none", tmp_path / "out")


@pytest.mark.parametrize(
    "content", [tar_bytes({"model/../../outside": b"x"}), tar_bytes({"model/a": b""}, links={"model/link": "/etc/passwd"})]
)
def test_extract_directory_refuses_paths_outside_the_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evil.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"evil\.tar\.gz .* leads out of the archive"):
        extract_directory(path, "model", tmp_path / "target" / "deep")
    assert not list(tmp_path.rglob("outside"))


TAR = gzip.decompress(tar_bytes({"x": b"hello", "y": b"z" * 99}))


@pytest.mark.parametrize("packed", [TAR, gzip.compress(TAR), bz2.compress(TAR), lzma.compress(TAR)], ids=["plain", "gzip", "bzip2", "xz"])
def test_tar_archives_are_read_packed_and_unpacked(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(packed)
    assert read_member(path, ["x"]) == b"hello"
    path.write_bytes(packed[: len(packed) // 2] if packed is not TAR else TAR[:100])
    with pytest.raises(CompactLMError, match=r"a\.tar cannot be read as an archive"):
        read_member(path, ["y"])


ZEROS = bytes(3_000_000)


def sparse() -> bytes:
    """Return a tar archive with a sparse file of 1 GB that takes 1 KB."""
    entry = tarfile.TarInfo("model/x")
    entry.type, entry.size = tarfile.GNUTYPE_SPARSE, 0
    head = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % 1_000_000_000
    head[148:156] = b"%06o\0 " % (sum(head[:148]) + 256 + sum(head[156:512]))
    return bytes(head) + bytes(1024)


def long_name() -> bytes:
    """Return a tar archive with the name of a file in 3 MB."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, len(ZEROS)
    return lzma.compress(entry.tobuf(tarfile.GNU_FORMAT) + ZEROS)


def zip_bytes(members: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


BOMBS = {
    "zip": zip_bytes({"model/x": ZEROS}, zipfile.ZIP_DEFLATED),
    "zip of many": zip_bytes({f"model/{number}": ZEROS[:20_000] for number in range(100)}, zipfile.ZIP_BZIP2),
    "tar": tar_bytes({"model/x": ZEROS}),
    "beside": tar_bytes({"other": ZEROS, "model/x": b""}),
    "sparse": sparse(),
    "long name": long_name(),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_an_archive_that_swells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(allowance, "EXPANSION_FROM", 1_000_000)
    monkeypatch.setattr(allowance, "EXPANSION", 20)
    path = tmp_path / "bomb"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"^bomb unpacks to more than 20 times its size; use a file from a trusted source$"):
        extract_directory(path, "model", tmp_path / "target")
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 2_000_000


def test_archives_in_archives_share_one_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "EXPANSION_FROM", 1_000_000)
    monkeypatch.setattr(allowance, "EXPANSION", 1)
    inner = zip_bytes({"x": ZEROS[:600_000], "y": b"y"}, zipfile.ZIP_STORED)  # the outer archive packs it
    path = tmp_path / "outer.zip"
    path.write_bytes(zip_bytes({"inner.zip": inner}, zipfile.ZIP_DEFLATED))
    assert read_member(path, ["inner.zip", "y"]) == b"y"
    with pytest.raises(CompactLMError, match=r"outer\.zip unpacks to more than"):
        read_member(path, ["inner.zip", "x"])
