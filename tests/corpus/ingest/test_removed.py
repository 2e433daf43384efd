from pathlib import Path

import pyarrow.parquet as pq
import pytest

from compactlm.artifacts import read_documents
from compactlm.corpus.ingest.removed import REMOVED, read_removed
from compactlm.corpus.ingest.sources import read_sources
from compactlm.errors import CompactLMError
from compactlm.params import Ingest
from compactlm.shards.gathering import gather


def ids(directory: Path) -> tuple[dict[str, str], int]:
    """Return the id of each text that ingest keeps, and the number of rows beyond the limit."""
    columns = {"text": "text", "document": None, "label": None, "attributes": {}, "queries": None}
    source = {"kind": "files", "path": "data/sources/s.csv", "columns": columns, "limit": 3}
    found = read_sources(Ingest.model_validate({"sources": {"s": source}}), {}, 0, directory / "work", 1_000)
    gather(found["s"].shards, directory / "out")
    return {row.text: row.id for row in read_documents(directory / "out")}, found["s"].left


def test_the_rows_in_the_file_are_left_out_before_the_limit_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/sources").mkdir(parents=True)
    REMOVED.parent.mkdir(parents=True)
    Path("data/sources/s.csv").write_text("text\none\ntwo\nthree\nfour\nfive\n")
    before, left = ids(tmp_path / "before")
    assert left == 2
    first, second, _ = before.values()
    REMOVED.write_text(f"# asked on paper\n{first}\n\n{second}\n{'0' * 32}\n")
    after, left = ids(tmp_path / "after")
    assert (len(after), left) == (3, 0)
    assert not {first, second} & set(after.values())
    everything = pq.read_table(tmp_path / "after" / "work" / "s")["id"].to_pylist()
    assert not {first, second} & set(everything)


def test_a_line_that_is_no_id_and_a_source_without_rows_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/sources").mkdir(parents=True)
    REMOVED.parent.mkdir(parents=True)
    Path("data/sources/s.csv").write_text("text\none\n")
    [name] = ids(tmp_path / "before")[0].values()
    REMOVED.write_text(name)
    with pytest.raises(CompactLMError, match=r"^all rows of ingest.sources.s are in configs/sources/removed.txt; remove the source$"):
        ids(tmp_path / "after")
    for line in (b"some words", b"some \xff words"):
        REMOVED.write_bytes(line)
        with pytest.raises(CompactLMError, match=rf"removed.txt has the line '{line.decode(errors='replace')}', which is not an id"):
            read_removed()
