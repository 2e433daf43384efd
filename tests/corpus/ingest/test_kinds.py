"""Sources of each kind of task in each format, read as the stage `ingest` reads them."""

import csv
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from compactlm.artifacts import NO_ANSWER, Document, to_documents
from compactlm.corpus.ingest.datacard import data_card, ingest_metrics
from compactlm.corpus.ingest.sources import read_sources
from compactlm.errors import CompactLMError
from compactlm.params import Ingest, Task
from compactlm.shards.gathering import sorted_tables

TASKS: dict[str, dict[str, Any]] = {
    "classification": {"labels": ["no", "yes"], "pair": True},
    "multilabel": {"kind": "multilabel", "labels": ["1", "true", "war"]},
    "regression": {"kind": "regression"},
    "tagging": {"kind": "tagging", "labels": ["loc", "per"]},
    "span": {"kind": "span"},
}
COLUMNS: dict[str, dict[str, Any]] = {
    "classification": {"text": "q", "pair": "passage", "label": "label"},
    "multilabel": {"text": "t", "labels": {"column": "topics", "separator": ";"}},
    "regression": {"text": "t", "score": "rating"},
    "tagging": {"words": "words", "tags": "tags"},
    "span": {"text": "passage", "pair": "q", "answer": "answer", "answer_start": "start", "document": "title"},
}
ODD = "\U0001f600 \u0645\u0631\u062d\u0628\u0627"  # an emoji and right-to-left text
WAR = {"topics": "war"}
LONG = " ".join(f"w{number}" for number in range(10_000))
CELLS: dict[str, list[dict[str, Any]]] = {
    "classification": [
        {"q": "who?", "passage": "Kim", "label": "yes"},
        {"q": "who?", "passage": "Kim", "label": "yes"},
        {"q": ODD, "passage": LONG, "label": "no"},
        {"q": "word", "passage": "", "label": "no"},
    ],
    "multilabel": [
        {"t": ODD, "topics": "1;war"},
        {"t": "word", "topics": ""},
        {"t": LONG, "topics": "true; 1"},
        {"t": "", "topics": "war"},
    ],
    "regression": [{"t": ODD, "rating": "1.5"}, {"t": "word", "rating": "-2"}, {"t": LONG, "rating": "1e1"}, {"t": "", "rating": "0"}],
    "tagging": [
        {"words": f"{ODD} Kim", "tags": "O O B-per"},
        {"words": "Rome", "tags": "B-loc"},
        {"words": LONG, "tags": " ".join(["O"] * 10_000)},
    ],
    "span": [
        {"passage": f"{ODD} Kim came", "q": "who?", "answer": "Kim", "start": str(len(ODD) + 1), "title": "a"},
        {"passage": "word", "q": "who?", "answer": "", "start": "", "title": "a"},
        {"passage": LONG, "q": ODD, "answer": "w9999", "start": str(LONG.index("w9999")), "title": "b"},
        {"passage": "word", "q": "", "answer": "word", "start": "0", "title": ""},
    ],
}


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(cells: list[dict[str, Any]], form: str) -> Path:
    path = Path(f"rows.{form}")
    if form == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(cells[0]))
            writer.writeheader()
            writer.writerows(cells)
    elif form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in cells), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(cells), path)
    return path


def read(kind: str, source: dict[str, Any]) -> list[Document]:
    ingest = TypeAdapter(Ingest).validate_python({"sources": {"s": {"kind": "files"} | source}})
    task = Task(sources=["s"], **TASKS[kind])
    extracts = read_sources(ingest, {kind: task}, 1, Path("work"), 100_000)
    assert "sha256 of the rows" in data_card(ingest, extracts)
    assert ingest_metrics(extracts)
    return [row for table in sorted_tables(extracts["s"].shards) for row in to_documents(table)]


def targets(row: Document) -> tuple[Any, ...]:
    words = None if row.words is None else len(row.words)
    first = row.text.split(" ")[0], row.pair and row.pair.split(" ")[0]
    return *first, row.label, row.labels, row.score, words, row.tags and row.tags[-1], row.answer, row.answer_start


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", TASKS)
def test_rows_of_each_kind_are_the_same_in_each_format(kind: str, form: str) -> None:
    rows = read(kind, {"path": str(write(CELLS[kind], form)), "columns": COLUMNS[kind]})
    assert len(rows) == len({row.id for row in rows}) == len(CELLS[kind])
    assert all(row.task == kind for row in rows)
    none = (None,) * 9
    expected = {
        "classification": [
            ("who?", "Kim", "yes", *none[3:]),
            ("who?", "Kim", "yes", *none[3:]),
            (ODD[:1], "w0", "no", *none[3:]),
            ("word", "", "no", *none[3:]),
        ],
        "multilabel": [
            (ODD[:1], None, None, ("1", "war"), *none[4:]),
            ("word", None, None, (), *none[4:]),
            ("w0", None, None, ("1", "true"), *none[4:]),
            ("", None, None, ("war",), *none[4:]),
        ],
        "regression": [(text, None, None, None, score, *none[5:]) for text, score in ((ODD[:1], 1.5), ("word", -2), ("w0", 10), ("", 0))],
        "tagging": [
            (ODD[:1], None, None, None, None, 3, "B-per", None, None),
            ("Rome", None, None, None, None, 1, "B-loc", None, None),
            ("w0", None, None, None, None, 10_000, "O", None, None),
        ],
        "span": [
            (ODD[:1], "who?", *none[2:7], "Kim", len(ODD) + 1),
            ("word", "who?", *none[2:7], None, NO_ANSWER),
            ("w0", ODD[:1], *none[2:7], "w9999", LONG.index("w9999")),
            ("word", "", *none[2:7], "word", 0),
        ],
    }[kind]
    assert sorted(map(targets, rows), key=repr) == sorted(expected, key=repr)


def test_three_lines_are_enough_for_files_of_conll_and_squad() -> None:
    Path("names.conll").write_text("-DOCSTART- -X- O\n\nKim NNP B-per\ncame VBD O\n\nin IN O\nRome NNP B-loc\n", encoding="utf-8")
    rows = read("tagging", {"path": "names.conll"})
    assert sorted((row.text, row.tags, row.document) for row in rows) == [
        ("Kim came", ("B-per", "O"), "1"),
        ("in Rome", ("O", "B-loc"), "1"),
    ]
    questions = [
        {"question": "Who?", "answers": [{"text": "Kim", "answer_start": 0}]},
        {"question": "Why?", "answers": [], "is_impossible": True},
    ]
    squad = {"data": [{"title": "T", "paragraphs": [{"context": "Kim came", "qas": questions}]}]}
    Path("train.json").write_text(json.dumps(squad), encoding="utf-8")
    rows = read("span", {"path": "train.json"})
    assert sorted((row.pair, row.answer, row.answer_start, row.document) for row in rows) == [
        ("Who?", "Kim", 0, "T"),
        ("Why?", None, NO_ANSWER, "T"),
    ]


def test_a_data_set_of_the_hub_gives_tags_their_names() -> None:
    features = datasets.Features(
        {"tokens": datasets.List(datasets.Value("string")), "tags": datasets.List(datasets.ClassLabel(names=["O", "B-per", "B-loc"]))}
    )
    rows = {"tokens": [["Kim", "came"], ["Rome"]], "tags": [[1, 0], [2]]}
    Path("hub").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet("hub/train.parquet")
    columns = {"text": None, "words": "tokens", "tags": "tags", "document": None, "label": None, "attributes": {}, "queries": None}
    source = {"kind": "hub", "dataset": "hub", "name": None, "revision": None, "split": "train", "streaming": False, "limit": None}
    found = read("tagging", source | {"columns": columns, "licence": "CC0", "homepage": "none"})
    assert sorted(row.tags or () for row in found) == [("B-loc",), ("B-per", "O")]


@pytest.mark.parametrize(
    ("kind", "line", "change", "message"),
    [
        ("classification", 3, {"label": "maybe"}, r"rows\.csv, line 4: the label 'maybe' is not declared \(no, yes\)"),
        ("multilabel", 0, {"topics": "1;sport"}, r"rows\.csv, line 2: the label 'sport' is not declared"),
        ("regression", 1, {"rating": "nan"}, r"rows\.csv, line 3: the score column 'rating' holds 'nan', which is not a finite number"),
        ("regression", 1, {"rating": "-inf"}, r"rows\.csv, line 3: the score column 'rating' holds -inf"),
        ("tagging", 1, {"tags": "B-loc O"}, r"rows\.csv, line 3: the row has 1 words but 2 tags"),
        ("tagging", 0, {"tags": "O O"}, r"rows\.csv, line 2: the row has 3 words but 2 tags"),
        ("tagging", 1, {"tags": "B-org"}, r"rows\.csv, line 3: the tag 'B-org' is not one of .*; correct the row, or tasks\.tagging"),
        (
            "span",
            0,
            {"answer": "Kims"},
            r"rows\.csv, line 2: the answer 'Kims' does not stand at character \d+ of the text, where 'Kim ' is",
        ),
        ("span", 0, {"start": "x"}, r"rows\.csv, line 2: answer_start is 'x'"),
    ],
)
def test_a_wrong_cell_ends_in_a_sentence_with_file_line_and_cell(kind: str, line: int, change: dict[str, str], message: str) -> None:
    cells = [dict(row) for row in CELLS[kind][:4]]
    cells[line] |= change
    cells = [cells[line] if kind == "classification" and at == 2 else row for at, row in enumerate(cells[: max(3, line)])]
    with pytest.raises(CompactLMError, match=message):
        read(kind, {"path": str(write(cells, "csv")), "columns": COLUMNS[kind]})


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("classification", [{"q": "a", "passage": "b", "label": "no"}] * 2, r"all 2 rows of s have the label 'no'"),
        ("multilabel", [{"t": "a", "topics": "1"}], r"tasks\.multilabel: no row of s has the label 'true'"),
        ("regression", [{"t": "a", "rating": "1"}, {"t": "b", "rating": "1.0"}], r"all 2 rows of s have the score 1\.0"),
        ("tagging", [{"words": "a", "tags": "B-per"}], r"no row of s has the tag 'loc'"),
        ("span", [{"passage": "a", "q": "b", "answer": "", "start": "", "title": ""}], r"none of the 1 rows of s has an answer"),
    ],
)
def test_rows_that_teach_nothing_are_refused(kind: str, cells: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(kind, {"path": str(write(cells, "jsonl")), "columns": COLUMNS[kind]})


def test_rows_without_an_answer_in_the_text_are_left_out_and_counted() -> None:
    cells = [{"p": "Kim came", "q": "who?", "a": "Kim"}, {"p": "Kim came", "q": "where?", "a": "Rome"}]
    ingest = TypeAdapter(Ingest).validate_python(
        {
            "sources": {
                "s": {
                    "kind": "files",
                    "path": str(write(cells, "jsonl")),
                    "columns": {"text": "p", "pair": "q", "answer": {"column": "a", "not_found": "skip"}},
                }
            }
        }
    )
    extracts = read_sources(ingest, {"span": Task(sources=["s"], kind="span")}, 1, Path("work"), 100_000)
    metrics: Any = ingest_metrics(extracts)
    assert metrics["sources"]["s"] == {"rows": 1, "characters": 8, "without_answer": 1}
    assert "rows left out, because their answer does not stand in the text | 1" in data_card(ingest, extracts)


def test_unlabelled_rows_of_a_source_belong_to_no_task() -> None:
    cells = [{"q": text, "passage": "b", "label": label} for text, label in (("a", "no"), ("c", "yes"), ("e", None))]
    rows = read("classification", {"path": str(write(cells, "jsonl")), "columns": COLUMNS["classification"] | {"unlabelled": True}})
    found = {row.text: (row.task, row.label) for row in rows}
    assert found == {"a": ("classification", "no"), "c": ("classification", "yes"), "e": (None, None)}
