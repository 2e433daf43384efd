import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from compactlm.corpus.datacard import data_card, ingest_metrics
from compactlm.corpus.sources import read_sources
from compactlm.errors import CompactLMError
from compactlm.params import Ingest, Task

TASKS = {"mood": Task(sources=["films"], labels=["bad", "good"], metric="accuracy")}
LABEL = {"column": "rating", "threshold": 0, "below": "bad", "above": "good"}
CSV = "text,rating\nlovely,2\nawful,-1\nfine,0.5\nlovely,2\n"


def files(path: Path | str, **changes: Any) -> dict[str, Any]:
    source = {"kind": "files", "path": str(path), "format": "csv", "header": True, "encoding": "utf-8", "sha256": None, "version": "1"}
    source |= {
        "columns": {"text": "text", "document": None, "label": LABEL, "attributes": {}},
        "limit": None,
        "licence": "CC0 | own",
        "homepage": "none",
    }
    return source | changes


def hub(dataset: Path | str, **changes: Any) -> dict[str, Any]:
    source = {"kind": "hub", "dataset": str(dataset), "name": None, "revision": None, "split": "train", "streaming": True}
    source |= {
        "columns": {"text": "text", "document": None, "label": None, "attributes": {}},
        "limit": None,
        "licence": "CC0",
        "homepage": "none",
    }
    return source | changes


def ingest(**sources: dict[str, Any]) -> Ingest:
    return TypeAdapter(Ingest).validate_python({"sources": sources})


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


def test_labelled_rows_and_repeats(films: Path) -> None:
    extract = read_sources(ingest(films=files(films)), TASKS, seed=0)["films"]
    assert sorted((row.text, row.task, row.label) for row in extract.documents) == [
        ("awful", "mood", "bad"),
        ("fine", "mood", "good"),
        ("lovely", "mood", "good"),
        ("lovely", "mood", "good"),
    ]
    assert len({row.id for row in extract.documents}) == 4
    assert all(row.document == row.id for row in extract.documents)


def test_a_glob_reads_all_files_gzip_among_them(films: Path) -> None:
    (films.parent / "more.csv.gz").write_bytes(gzip.compress(b"text,rating\nmore,1\n"))
    extract = read_sources(ingest(films=files(films.parent / "*.csv*")), TASKS, seed=0)["films"]
    assert len(extract.documents) == 5


def test_the_limit_draws_the_same_rows_again(films: Path) -> None:
    source = ingest(films=files(films, limit=3))
    first = read_sources(source, TASKS, seed=5)["films"]
    assert len(first.documents) == 3
    assert read_sources(source, TASKS, seed=5)["films"] == first


@pytest.mark.parametrize("streaming", [True, False])
def test_a_local_directory_stands_in_for_the_hub(films: Path, talks: Path, streaming: bool) -> None:
    extract = read_sources(ingest(films=files(films), talks=hub(talks, limit=3, streaming=streaming)), TASKS, seed=0)["talks"]
    texts = {row.text for row in extract.documents}
    assert len(texts) == 3
    assert not streaming or texts == {"sentence 0", "sentence 1", "sentence 2"}
    assert all(row.task is None for row in extract.documents)


def test_with_the_hub_off_the_sentence_names_source_reason_and_both_ways_out(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(CompactLMError) as caught:
        read_sources(ingest(films=files(films), wiki=hub("someone/nothing", name="en")), TASKS, seed=0)
    sentence = str(caught.value)
    assert sentence.startswith("ingest.sources.wiki: the hub's data set someone/nothing (en), split train, cannot be loaded: ")
    assert "Offline" in sentence
    assert "local directory in the same format in ingest.sources.wiki.dataset" in sentence
    assert "PRESET=default" in sentence


def test_a_split_that_is_not_there_is_named(films: Path, talks: Path) -> None:
    with pytest.raises(CompactLMError, match=r"ingest\.sources\.talks: the directory .*, split dev, cannot be loaded: .*train"):
        read_sources(ingest(films=files(films), talks=hub(talks, split="dev")), TASKS, seed=0)


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (None, {}, r"ingest\.sources\.films: there is no file .*films\.csv"),
        ("", {}, r"ingest\.sources\.films has no text in column 'text'"),
        ("text,rating\n ,1\n", {}, r"ingest\.sources\.films has no text in column 'text'"),
        ("body,rating\nx,1\n", {}, r"ingest\.sources\.films: .*films\.csv, line 2: there is no column 'text'"),
        (CSV, {"sha256": "0" * 64}, r"ingest\.sources\.films: .*films\.csv has the sha256 [0-9a-f]{64}, and params\.yaml asks for 0{64}"),
        ("text,rating\nx,1\ny,2\n", {}, r"tasks\.mood: all 2 rows of films have the label 'good'"),
        ("text,rating\nx,much\n", {}, r"films\.csv, line 2: the label column 'rating' holds 'much'"),
    ],
)
def test_a_bad_source_ends_in_one_sentence(tmp_path: Path, content: str | None, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "films.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CompactLMError, match=message):
        read_sources(ingest(films=files(path, **changes)), TASKS, seed=0)


def test_a_hash_pins_one_file_only(films: Path) -> None:
    sha256 = hashlib.sha256(films.read_bytes()).hexdigest()
    assert read_sources(ingest(films=files(films, sha256=sha256)), TASKS, seed=0)
    (films.parent / "b.csv").write_text(CSV, encoding="utf-8")
    with pytest.raises(CompactLMError, match="sha256 pins one file"):
        read_sources(ingest(films=files(films.parent / "*.csv", sha256=sha256)), TASKS, seed=0)


def test_a_declared_label_that_never_occurs_is_refused(films: Path) -> None:
    tasks = {"mood": TASKS["mood"].model_copy(update={"labels": ["bad", "good", "mixed"]})}
    with pytest.raises(CompactLMError, match=r"no row of films has the label 'mixed'"):
        read_sources(ingest(films=files(films)), tasks, seed=0)


def test_the_data_card_has_a_table_for_each_source_and_the_metrics_their_sizes(films: Path, talks: Path) -> None:
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
