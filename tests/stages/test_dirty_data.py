"""Dirty files in the data stages. Each gives clean rows and counted drops, or is refused in one sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from compactlm import artifacts
from compactlm.params.files import insert_files
from compactlm.pipeline.run import run
from compactlm.presets import compose
from compactlm.stages import clean, ingest, split

STAGES: dict[str, Callable[[Any], None]] = {"ingest": ingest.main, "clean": clean.main, "split": split.main}
COMPOSED = insert_files(yaml.safe_load(compose("default")))


def project(path: str, **source: Any) -> None:
    """Write params.yaml for a file of unlabelled text and a clean file of labelled rows."""
    Path("known").mkdir(exist_ok=True)
    known = "".join(f"{'good' if number % 2 else 'bad'},a known film {number}\n" for number in range(60))
    Path("known/films.csv").write_text("kind,text\n" + known, encoding="utf-8")
    films = {"kind": "files", "path": "known/films.csv", "columns": {"text": "text", "label": "kind"}}
    own = {"kind": "files", "path": path, "columns": {"text": "text"}} | source
    content = COMPOSED | {"tasks": {"mood": {"sources": ["films"], "labels": ["bad", "good"], "metric": "accuracy"}}}
    content["bias_audit"] = COMPOSED["bias_audit"] | {"protected": {}, "favorable_labels": {}}
    content["signals"] = COMPOSED["signals"] | {"task": COMPOSED["signals"]["task"] | {"unlabelled": []}}
    content["evaluate"] = COMPOSED["evaluate"] | {"embedding": COMPOSED["evaluate"]["embedding"] | {"retrieval": []}}
    content["ingest"] = {"sources": {"own": own, "films": films}}
    content["data"] = COMPOSED["data"] | {"processes": 1, "shard_megabytes": 1}
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run_all() -> dict[str, Any]:
    """Run the stages, check that every row is counted, and return the metrics of cleaning for the file."""
    for name, stage in STAGES.items():
        run(name, stage)
    cleaned = artifacts.read_json(artifacts.METRICS / "clean.json")
    total, own = cleaned["total"], cleaned["sources"]["own"]
    assert total["rows"] == artifacts.read_json(artifacts.METRICS / "ingest.json")["total"]["rows"]
    assert total["rows"] == total["kept"] + sum(total["dropped"].values())
    assert sum(artifacts.read_json(artifacts.METRICS / "split.json")["rows"].values()) == total["kept"]
    return dict(own)


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """Run the stages, which must fail, and return the sentence of the failure."""
    with pytest.raises(SystemExit) as caught:
        run_all()
    sentence = str(caught.value.code)
    assert "\n" not in sentence
    assert "Traceback" not in capsys.readouterr().err
    assert not list(Path().rglob("*unfinished*"))
    return sentence


GOOD = [f"a good line of text, the {number}th" for number in range(30)]
DIRTY = {
    "nul bytes\x00 inside": "nul bytes inside",
    "\ufeff another mark in the text": "another mark in the text",
    "\u202eright to left\u202c \u0645\u0631\u062d\u0628\u0627": "right to left \u0645\u0631\u062d\u0628\u0627",
    "a combined e\u0301 and u\u0308": "a combined \u00e9 and \u00fc",
    "a lone \ud83d surrogate": "a lone surrogate",
    "\x00\x01\u200b": None,
}


def test_dirty_characters_are_fixed_or_dropped_and_counted() -> None:
    lines = [json.dumps({"text": text, "name": f"\udc80{number}"}) for number, text in enumerate([*GOOD, *DIRTY])]
    Path("own.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines[:20]).encode() + b"\n" + "\n".join(lines[20:]).encode())
    project("own.jsonl", columns={"text": "text", "document": "name"})
    assert run_all()["dropped"]["empty"] == 1
    assert {row.text for row in artifacts.read_documents(artifacts.CLEAN) if row.source == "own"} == {
        *GOOD,
        *(text for text in DIRTY.values() if text),
    }


def test_an_empty_file_is_refused_unless_other_files_have_text(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_bytes(b"")
    Path("b.txt").write_text("\n".join(GOOD), encoding="utf-8")
    project("*.txt")
    assert run_all()["kept"] == len(GOOD)
    project("a.txt")
    assert refused(capsys).startswith("ingest: ingest.sources.own has no text in column 'text'")


def test_files_that_cannot_be_read_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    not_utf_8 = pa.array([b"fine", b"broken \xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": not_utf_8}), "text.parquet")
    pq.write_table(pa.table({"text": pa.array([b"fine"], pa.binary())}), "bytes.parquet")
    Path("bomb.txt.gz").write_bytes(gzip.compress(gzip.compress((b"lol " * 250_000 + b"\n") * 80)))
    for name, facts in (
        ("text.parquet", "text.parquet cannot be read as parquet"),
        ("bytes.parquet", "ingest.sources.own: bytes.parquet, row 0: the text column 'text' holds b'fine'"),
        ("bomb.txt.gz", "bomb.txt.gz is not valid utf-8 in line 1"),
    ):
        project(name)
        assert facts in refused(capsys)


@pytest.fixture
def finished() -> None:
    """A project in which the stages have run."""
    Path("own.txt").write_text("\n".join(GOOD), encoding="utf-8")
    project("own.txt")
    run_all()


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize(("stage", "directory"), [("clean", artifacts.RAW), ("split", artifacts.CLEAN)])
def test_an_artifact_with_altered_bytes_is_refused(stage: str, directory: Path) -> None:
    part = directory / "part-00000.parquet"
    content = part.read_bytes()
    part.write_bytes(content[:40] + bytes(200) + content[240:])
    with pytest.raises(SystemExit, match=rf"^{stage}: {part} cannot be read as parquet.*run the stage that writes it again"):
        run(stage, STAGES[stage])


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize("stage", list(STAGES))
@pytest.mark.parametrize("before", [0, 2])
def test_a_full_disk_is_one_sentence_and_the_next_run_continues(stage: str, before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {path: path.read_bytes() for path in Path("data").rglob("part-*.parquet") if not path.is_relative_to(artifacts.SHARDS)}
    content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    Path("params.yaml").write_text(yaml.safe_dump(content | {"seed": 18}), encoding="utf-8")
    write, written = pq.write_table, []

    def fills_the_disk(table: pa.Table, where: Any, **options: Any) -> None:
        written.append(where)
        if len(written) <= before:
            write(table, where, **options)
        else:  # opened here because pyarrow deletes a file that it cannot write if it knows the path
            with Path("/dev/full").open("wb", buffering=0) as full:
                write(table, full, **options)

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", fills_the_disk)
        with pytest.raises(SystemExit, match=f"^{stage}: no space is left on the disk while writing .*; free some"):
            run(stage, STAGES[stage])
    assert len(written) == before + 1
    assert {path: path.read_bytes() for path in expected} == expected
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    run_all()
    assert {path: path.read_bytes() for path in expected} == expected
