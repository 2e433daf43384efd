import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from compactlm.artifacts import Document, to_documents
from compactlm.corpus.ingest.datacard import data_card, ingest_metrics
from compactlm.corpus.ingest.hub import read_hub
from compactlm.corpus.ingest.sources import Extract
from compactlm.corpus.ingest.sources import read_sources as read_sources_to
from compactlm.errors import CompactLMError
from compactlm.params import HubSource, Ingest, Task
from compactlm.shards.gathering import sorted_tables
from compactlm.text.formats.tables import stream_rows

TASKS = {"mood": Task(sources=["films"], labels=["bad", "good"], metric="accuracy")}
LABEL = {"column": "rating", "threshold": 0, "below": "bad", "above": "good"}
CSV = "text,rating\nlovely,2\nawful,-1\nfine,0.5\nlovely,2\n"


def files(path: Path | str, **changes: Any) -> dict[str, Any]:
    return {"kind": "files", "path": str(path), "columns": {"text": "text", "label": LABEL}, "licence": "CC0 | own"} | changes


def hub(dataset: Path | str, **changes: Any) -> dict[str, Any]:
    source = {"kind": "hub", "dataset": str(dataset), "name": None, "revision": None, "split": "train", "streaming": True}
    source |= {"columns": {"text": "text", "document": None, "label": None, "attributes": {}, "queries": None}, "limit": None}
    return source | {"licence": "CC0", "homepage": "none"} | changes


def ingest(**sources: dict[str, Any]) -> Ingest:
    return TypeAdapter(Ingest).validate_python({"sources": sources})


def rows(extract: Extract) -> list[Document]:
    return [row for table in sorted_tables(extract.shards) for row in to_documents(table)]


def read_sources(section: Ingest, tasks: dict[str, Task], seed: int, shard_bytes: int = 10_000) -> dict[str, Extract]:
    return read_sources_to(section, tasks, seed, Path("work"), shard_bytes)


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    directory = tmp_path / "talks"
    directory.mkdir()
    lines = [json.dumps({"text": f"sentence {number}"}) for number in range(8)]
    (directory / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory


def test_repeated_rows_with_other_queries_get_the_same_ids_in_any_order(tmp_path: Path) -> None:
    lines = ["text,asked", "a text,who?", "a text,where?", "a text,", "other,why?"]
    found = []
    for name, order in (("one", lines), ("two", [lines[0], *lines[:0:-1]])):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(order), encoding="utf-8")
        section = ingest(asked=files(path, columns={"text": "text", "queries": "asked"}))
        extract = read_sources(section, {}, seed=0)["asked"]
        found.append(rows(extract))
        assert "| queries of the rows | 3 |" in data_card(section, {"asked": extract}).splitlines()
        assert ingest_metrics({"asked": extract})["sources"] == {"asked": {"rows": 4, "characters": 23, "queries": 3}}
    assert found[0] == found[1]
    assert sorted((row.text, row.queries) for row in found[0]) == [
        ("a text", ()),
        ("a text", ("where?",)),
        ("a text", ("who?",)),
        ("other", ("why?",)),
    ]


def test_labels_are_read_and_repeated_rows_get_different_ids(films: Path) -> None:
    extract = read_sources(ingest(films=files(films)), TASKS, seed=0)["films"]
    assert sorted((row.text, row.task, row.label) for row in rows(extract)) == [
        ("awful", "mood", "bad"),
        ("fine", "mood", "good"),
        ("lovely", "mood", "good"),
        ("lovely", "mood", "good"),
    ]
    assert len({row.id for row in rows(extract)}) == 4
    assert all(row.document == row.id for row in rows(extract))


def test_a_glob_reads_all_files_also_gzip_files_and_allows_no_hash(films: Path) -> None:
    sha256 = hashlib.sha256(films.read_bytes()).hexdigest()
    assert read_sources(ingest(films=files(films, sha256=sha256)), TASKS, seed=0)["films"].rows == 4
    (films.parent / "more.csv.gz").write_bytes(gzip.compress(b"text,rating\nmore,1\n"))
    every = films.parent / "*.csv*"
    assert read_sources(ingest(films=files(every, format="csv")), TASKS, seed=0)["films"].rows == 5
    with pytest.raises(CompactLMError, match="sha256 pins one file"):
        read_sources(ingest(films=files(every, format="csv", sha256=sha256)), TASKS, seed=0)


@pytest.mark.parametrize(("limit", "left"), [(3, 1), (None, 0)])
def test_the_same_rows_are_drawn_again_into_shards_of_any_size(films: Path, limit: int | None, left: int) -> None:
    source = ingest(films=files(films, limit=limit))
    first = read_sources(source, TASKS, seed=5)["films"]
    drawn = rows(first)
    assert (first.rows, first.left, len(drawn)) == (4 - left, left, 4 - left)
    many = read_sources(source, TASKS, seed=5, shard_bytes=1)["films"]
    assert len(many.shards) > len(first.shards)
    assert (rows(many), many.sha256) == (drawn, first.sha256)
    assert rows(read_sources(source, TASKS, seed=5)["films"]) == drawn


def test_a_limit_of_characters_and_one_that_leaves_nothing(films: Path) -> None:
    extract = read_sources(ingest(films=files(films, limit={"rows": None, "characters": 16})), TASKS, seed=5)["films"]
    assert extract.characters <= 16
    assert extract.rows + extract.left == 4
    with pytest.raises(CompactLMError, match=r"ingest\.sources\.films\.limit .* first drawn row"):
        read_sources(ingest(films=files(films, limit={"rows": None, "characters": 1})), TASKS, seed=5)


def test_nested_fields_of_packed_files_are_joined(films: Path) -> None:
    lines = [json.dumps({"meta": {"title": f"T{number}"}, "body": [{"text": "one"}], "stars": number}) for number in range(-2, 3)]
    path = films.parent / "films.jsonl.zst"
    path.write_bytes(pa.compress("\n".join(lines).encode(), "zstd", asbytes=True))
    text = {"columns": ["meta.title", "body.0.text"], "separator": ": "}
    columns = {"text": text, "document": "meta.title", "label": LABEL | {"column": "stars"}, "attributes": {"size": "stars"}}
    extract = read_sources(ingest(films=files(path, columns=columns)), TASKS, seed=0)["films"]
    assert max((row.text, row.document, row.label or "") for row in rows(extract)) == ("T2: one", "T2", "good")
    assert {row.attributes for row in rows(extract)} == {(("size", str(number)),) for number in range(-2, 3)}


def test_a_file_that_changes_while_it_is_read_is_refused(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*arguments: Any, **options: Any) -> Any:
        yield from stream_rows(*arguments, **options)
        films.write_text(CSV + "one more,1\n", encoding="utf-8")

    monkeypatch.setattr("compactlm.corpus.ingest.sources.stream_rows", meanwhile)
    with pytest.raises(CompactLMError, match=r"ingest\.sources\.films: .*films\.csv changed while it was read"):
        read_sources(ingest(films=files(films)), TASKS, seed=0)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_local_directory_stands_in_for_the_hub(films: Path, talks: Path, streaming: bool) -> None:
    extract = read_sources(ingest(films=files(films), talks=hub(talks, limit=3, streaming=streaming)), TASKS, seed=0)["talks"]
    texts = {row.text for row in rows(extract)}
    assert len(texts) == 3
    assert not streaming or texts == {"sentence 0", "sentence 1", "sentence 2"}
    assert all(row.task is None for row in rows(extract))


@pytest.mark.parametrize("streaming", [True, False])
def test_class_labels_are_read_by_their_names(tmp_path: Path, streaming: bool) -> None:
    labels = datasets.Features({"text": datasets.Value("string"), "kind": datasets.ClassLabel(names=["bad", "good"])})
    content = {"text": [f"text {number}" for number in range(6)], "kind": [0, 1, 0, 1, -1, None]}
    (tmp_path / "talks").mkdir()
    datasets.Dataset.from_dict(content, features=labels).to_parquet(tmp_path / "talks" / "train.parquet")
    section = TypeAdapter(HubSource).validate_python(hub(tmp_path / "talks", streaming=streaming))
    assert [row["kind"] for _, row in read_hub("talks", section)] == ["bad", "good", "bad", "good", None, None]


def test_an_unreachable_hub_is_refused_with_the_source_the_reason_and_both_solutions(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(CompactLMError) as caught:
        read_sources(ingest(films=files(films), wiki=hub("someone/nothing", name="en")), TASKS, seed=0)
    for fact in ("someone/nothing (en), split train, ", "Offline", "ingest.sources.wiki.dataset to a local directory", "PRESET=default"):
        assert fact in str(caught.value)


def test_a_missing_split_is_named_with_the_existing_ones(films: Path, talks: Path) -> None:
    with pytest.raises(CompactLMError, match=r"ingest\.sources\.talks: the directory .*, split dev, cannot be loaded: .*train"):
        read_sources(ingest(films=files(films), talks=hub(talks, split="dev")), TASKS, seed=0)


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (None, {}, r"ingest\.sources\.films: the file .*films\.csv"),
        ("", {}, r"ingest\.sources\.films has no text in column 'text'"),
        ("text,rating\n ,1\n", {}, r"ingest\.sources\.films has no text in column 'text'"),
        ("body,rating\nx,1\n", {}, r"ingest\.sources\.films: .*films\.csv, line 2: .* 'text' of columns\.text"),
        (CSV, {"sha256": "0" * 64}, r"ingest\.sources\.films: .*films\.csv has the sha256 [0-9a-f]{64}, .* 0{64}"),
        ("text,rating\nx,1\ny,2\n", {}, r"tasks\.mood: all 2 rows of films have the label 'good'"),
        ("text,rating\nx,much\n", {}, r"films\.csv, line 2: the label column 'rating' holds 'much'"),
    ],
)
def test_an_unusable_source_is_refused(tmp_path: Path, content: str | None, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "films.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CompactLMError, match=message):
        read_sources(ingest(films=files(path, **changes)), TASKS, seed=0)


def test_the_data_card_and_the_metrics_describe_each_source(films: Path, talks: Path) -> None:
    section = ingest(films=files("films.csv"), talks=hub("a/talks", name="en", limit=9))
    extracts = read_sources(ingest(films=files(films), talks=hub(talks)), TASKS, seed=0)
    card = data_card(section, extracts)
    assert card == data_card(section, dict(reversed(extracts.items())))
    for line in (
        "## films",
        "| path | `films.csv` |",
        "| licence | CC0 \\| own |",
        "| used for | task mood |",
        "| rows | 4 |",
        f"| sha256 of the rows | `{extracts['films'].sha256}` |",
        "## talks",
        "| data set | `a/talks`, configuration `en` |",
        "| revision | not pinned |",
        "| rows | 8 (at most 9) |",
    ):
        assert line in card.splitlines()
    metrics = ingest_metrics(extracts)
    assert metrics["sources"]["films"] == {"rows": 4, "characters": 21}
    assert metrics["total"] == {"rows": 12, "characters": 101}
