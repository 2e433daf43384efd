"""Files that someone else made: pickled weights, names with odd characters, and archives that lead out."""

import io
import pickle
import shutil
import tarfile
import zipfile

import pytest

from compactlm.corpus.ingest.archives.unpacking import extract_directory
from compactlm.errors import CompactLMError
from compactlm.text.formats.tables import stream_rows

ODD = [
    *("$(touch harm).csv", "; touch harm;.csv", "-rf.csv", "--help.csv", "a b\tc.csv", "two\nlines.csv", "`touch harm`.csv"),
    *("na\u00efve \u2603.csv", "'\".csv"),
]


class Harm:
    """An object whose pickle writes a file when it is read."""

    def __reduce__(self):
        return (open, ("harm", "w"))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.safetensors"])
def test_pickled_weights_are_not_read(name, student_root, tmp_path, monkeypatch):
    from compactlm import CompactLM

    monkeypatch.chdir(tmp_path)
    root = tmp_path / "student"
    shutil.copytree(student_root, root)
    for directory in root.iterdir():
        (directory / "model.safetensors").unlink()
        (directory / name).write_bytes(pickle.dumps(Harm()))
    with pytest.raises(CompactLMError):
        CompactLM(root, backend="torch", threads=1).classify(["a film"])
    assert not (tmp_path / "harm").exists()


def test_code_beside_a_model_does_not_run(student_root, tmp_path, monkeypatch):
    import json

    from compactlm.bert.models import load_masked_lm, load_tokenizer

    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "mlm"
    shutil.copytree(student_root / "mlm", directory)
    (directory / "own.py").write_text("open('harm', 'w')\nclass Own: pass\n")
    config = json.loads((directory / "config.json").read_text())
    config["auto_map"] = dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForMaskedLM"), "own.Own")
    (directory / "config.json").write_text(json.dumps(config))
    about = json.loads((directory / "tokenizer_config.json").read_text())
    (directory / "tokenizer_config.json").write_text(json.dumps({**about, "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}))
    load_masked_lm(directory)
    load_tokenizer(directory)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ODD)
def test_a_file_with_an_odd_name_is_read_and_reaches_no_shell(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_text("text\na film\n")
    rows = list(stream_rows(path, name, "csv", header=True, encoding="utf-8"))
    assert [cells["text"] for _, cells in rows] == ["a film"]
    path.write_bytes(b"text\n\xff\n")
    with pytest.raises(CompactLMError) as caught:
        list(stream_rows(path, name, "csv", header=True, encoding="utf-8"))
    assert len(str(caught.value).splitlines()) == 1
    assert sorted(found.name for found in tmp_path.iterdir()) == [name]


def tar_with(member):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b"harm"))
    return content.getvalue()


def member(name, kind=tarfile.REGTYPE, link=""):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, link, 4 if kind == tarfile.REGTYPE else 0
    return found


def zip_with(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, b"harm")
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        tar_with(member("model/../../harm")),
        tar_with(member("model/link", tarfile.SYMTYPE, "/etc/passwd")),
        tar_with(member("model/link", tarfile.LNKTYPE, "../harm")),
        tar_with(member("model/device", tarfile.CHRTYPE)),
        tar_with(member("model/pipe", tarfile.FIFOTYPE)),
        zip_with("model/../../harm"),
        zip_with("model/../harm"),
    ],
    ids=["tar up", "symbolic link", "hard link", "device", "pipe", "zip up", "zip beside"],
)
def test_an_archive_writes_nothing_outside_its_directory(content, tmp_path):
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "inside").mkdir()
    with pytest.raises(CompactLMError, match="leads out of the archive"):
        extract_directory(tmp_path / "archive", "model", tmp_path / "inside" / "target")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()) == ["archive"]
