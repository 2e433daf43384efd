import errno
import hashlib
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm import artifacts
from compactlm.artifacts import Document

NAMES = st.text("0123456789abcdef", min_size=4, max_size=4)
OPTIONAL = st.one_of(st.none(), st.text(max_size=3))
LISTS = st.none() | st.lists(st.text(max_size=3), max_size=2).map(tuple)
DOCUMENTS = st.lists(
    st.builds(
        Document,
        id=NAMES,
        source=st.just("s"),
        text=st.text(max_size=9),
        document=NAMES,
        task=OPTIONAL,
        label=OPTIONAL,
        parent=OPTIONAL,
        pair=OPTIONAL,
        labels=LISTS,
        score=st.none() | st.floats(allow_nan=False),
        words=LISTS,
        tags=LISTS,
        answer=OPTIONAL,
        answer_start=st.none() | st.integers(-1, 9),
    ),
    max_size=12,
    unique_by=lambda document: document.id,
)


def digest(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_parquet_has_the_same_bytes_for_any_order_of_documents(tmp_path: Path, documents: list[Document], rng: random.Random) -> None:
    artifacts.write_documents(tmp_path / "one", documents)
    first = digest(tmp_path / "one")
    assert artifacts.read_documents(tmp_path / "one") == sorted(documents, key=lambda document: document.id)
    rng.shuffle(documents)
    artifacts.write_documents(tmp_path / "one", documents)
    assert digest(tmp_path / "one") == first


def test_attributes_and_queries_have_a_column_only_if_a_row_has_some(tmp_path: Path) -> None:
    plain = Document("b", "s", "t", "d")
    artifacts.write_documents(tmp_path / "plain", [plain])
    assert artifacts.read_table(tmp_path / "plain").schema == artifacts.DOCUMENT_SCHEMA
    rows = [Document("a", "s", "t", "d", attributes=(("gender", "f"), ("region", None))), plain]
    artifacts.write_documents(tmp_path / "some", rows)
    assert artifacts.read_documents(tmp_path / "some") == rows
    assert artifacts.read_table(tmp_path / "some").schema == artifacts.document_schema(attributes=True, queries=False)
    rows = [Document("a", "s", "t", "d", queries=("who?", "why?")), plain]
    artifacts.write_documents(tmp_path / "queries", rows)
    assert artifacts.read_documents(tmp_path / "queries") == rows
    assert artifacts.read_table(tmp_path / "queries").schema == artifacts.document_schema(attributes=False, queries=True)


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        (Document("a", "s", "t", "d", pair="p"), ["pair"]),
        (Document("a", "s", "t", "d", labels=()), ["labels"]),
        (Document("a", "s", "t", "d", score=0.0), ["score"]),
        (Document("a", "s", "t", "d", words=("t",), tags=("O",)), ["words", "tags"]),
        (Document("a", "s", "t", "d", pair="p", answer="t", answer_start=0), ["pair", "answer", "answer_start"]),
        (Document("a", "s", "t", "d", answer_start=artifacts.NO_ANSWER, queries=("q",)), ["queries", "answer", "answer_start"]),
    ],
)
def test_the_columns_of_a_kind_of_task_are_written_only_if_a_row_has_a_value(tmp_path: Path, row: Document, columns: list[str]) -> None:
    rows = [row, Document("b", "s", "t", "d")]
    artifacts.write_documents(tmp_path, rows)
    assert artifacts.read_documents(tmp_path) == rows
    schema = artifacts.read_table(tmp_path).schema
    assert schema.names == [*artifacts.DOCUMENT_SCHEMA.names, *columns]
    assert artifacts.is_document_schema(schema)
    assert not artifacts.is_document_schema(schema.remove(schema.get_field_index("source")))
    assert not artifacts.is_document_schema(schema.append(pa.field("more", pa.string())))


@pytest.mark.parametrize(("count", "shards"), [(10, 3), (0, 1)])
def test_rows_become_shards_that_are_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, shards: int) -> None:
    monkeypatch.setattr(artifacts, "ROWS_PER_SHARD", 4)
    rows = [Document(id=f"{number:02d}", source="s", text="t", document="d") for number in range(count)]
    artifacts.write_documents(tmp_path, rows[::-1])
    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"part-0000{shard}.parquet" for shard in range(shards)]
    assert artifacts.read_documents(tmp_path) == rows


def test_a_directory_without_shards_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"part-\*\.parquet"):
        artifacts.read_documents(tmp_path)


def test_replacing_moves_a_file_or_a_directory_to_its_place_and_removes_the_rest_of_a_killed_run(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with artifacts.replacing(target) as unfinished:
        unfinished.write_text("file")
        assert not target.exists()
    assert target.read_text() == "file"
    (target.with_name(".target.unfinished")).mkdir()
    (target.with_name(".target.unfinished") / "part-00000.parquet").write_text("half")
    with artifacts.replacing(target) as unfinished:
        assert not unfinished.exists()
        unfinished.mkdir()
        (unfinished / "new").write_text("directory")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(target.parent.iterdir()) == [target]


def write_half(target: Path, failure: BaseException) -> None:
    with artifacts.replacing(target) as unfinished:
        unfinished.mkdir()
        (unfinished / "part").write_text("half")
        raise failure


@pytest.mark.parametrize("failure", [ValueError("broken"), OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", ["file", "directory", "none"])
def test_replacing_leaves_the_old_artifact_when_the_block_raises(tmp_path: Path, failure: BaseException, old: str) -> None:
    target = tmp_path / "target"
    if old == "file":
        target.write_text("old")
    elif old == "directory":
        target.mkdir()
        (target / "part").write_text("old")
    with pytest.raises(type(failure)):
        write_half(target, failure)
    assert [path.name for path in tmp_path.iterdir()] == ([] if old == "none" else ["target"])
    if old != "none":
        assert (target if old == "file" else target / "part").read_text() == "old"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_json_is_sorted_and_has_only_finite_numbers(tmp_path: Path, number: float) -> None:
    path = tmp_path / "metrics.json"
    artifacts.write_json(path, {"b": 1, "a": "\u00e9"})
    assert path.read_text(encoding="utf-8") == '{\n  "a": "\u00e9",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        artifacts.write_json(path, {"a": number})
    assert artifacts.read_json(path) == {"a": "\u00e9", "b": 1}


def test_tables_for_plots_are_tab_separated(tmp_path: Path) -> None:
    artifacts.write_rows_as_tsv(tmp_path / "t.tsv", ["step", "loss"], [(1, 0.5), (2, 0.25)])
    assert (tmp_path / "t.tsv").read_text(encoding="utf-8") == "step\tloss\n1\t0.5\n2\t0.25\n"


def allocator(modules: str, environment: dict[str, str]) -> tuple[str, str]:
    """Return Arrow's allocator in a process that imports these modules, and the process's errors."""
    code = f"import {modules}; print(pyarrow.default_memory_pool().backend_name)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr


def test_arrow_uses_jemalloc_unless_the_environment_names_another_allocator() -> None:
    name = "ARROW_DEFAULT_MEMORY_POOL"
    environment = {key: value for key, value in os.environ.items() if key != name}
    there = sys.platform == "linux" and os.uname().machine == "x86_64"
    expected = ("jemalloc", "") if there else allocator("pyarrow", environment)
    assert allocator("compactlm.artifacts, pyarrow", environment) == expected
    assert allocator("compactlm.artifacts, pyarrow", environment | {name: "system"}) == ("system", "")


def test_the_sha256_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert artifacts.file_sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of FIPS 180-2
