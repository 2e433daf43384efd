import math

import pytest

from compactlm.corpus.ingest.records import Record, row_id, sha256_of, to_document, to_record
from compactlm.errors import CompactLMError
from compactlm.params import Columns, DocumentPart, JoinedColumns, QueryLines, Task, ThresholdLabel
from compactlm.tasks.base import Targets

TASK = Task(sources=["s"], labels=["negative", "positive"], metric="accuracy")
RATING = ThresholdLabel(column="r", threshold=0.0, below="negative", above="positive")


def columns(
    label: ThresholdLabel | None = None, document: str | DocumentPart | None = None, queries: str | QueryLines | None = None
) -> Columns:
    return Columns(text="t", document=document, label=label, attributes={}, queries=queries)


def test_the_document_is_a_column_or_its_first_part_and_labels_are_read_only_for_a_task() -> None:
    assert to_record({"t": "x"}, "p", columns(RATING), None) == Record("x", None, None)
    assert to_record({"t": "x", "d": 7}, "p", columns(document="d"), None).document == "7"
    assert to_record({"t": "x", "d": "30_9_8"}, "p", columns(document=DocumentPart(column="d", before="_")), None).document == "30"


def test_attributes_are_read_from_their_columns() -> None:
    named = Columns(text="t", document=None, label=None, attributes={"region": "r", "gender": "g"}, queries=None)
    record = to_record({"t": "x", "r": 7, "g": " "}, "p", named, None)
    assert record.attributes == (("gender", None), ("region", "7"))
    document, plain = to_document(record, "s", None), to_document(Record("x", None, None), "s", None)
    assert document.attributes == record.attributes
    assert document.id == plain.id
    assert sha256_of([document]) != sha256_of([plain])
    with pytest.raises(CompactLMError, match=r"column 'g' of columns\.attributes\.gender"):
        to_record({"t": "x", "r": 7}, "p", named, None)


@pytest.mark.parametrize(
    ("cell", "rule", "queries"),
    [
        ("who came?", "q", ("who came?",)),
        (["b", " a ", "b", ""], "q", ("a", "b")),
        (None, "q", ()),
        ("q1: who?\nwhy q2: not?\n\n q3", QueryLines(lines_of="q", prefix=r"q\d+: *"), ("q3", "who?", "why q2: not?")),
        (["one\ntwo", "three"], QueryLines(lines_of="q", prefix=None), ("one", "three", "two")),
    ],
)
def test_queries_are_the_texts_or_lines_of_a_column(cell: object, rule: str | QueryLines, queries: tuple[str, ...]) -> None:
    record = to_record({"t": "x", "q": cell}, "p", columns(queries=rule), None)
    assert record.queries == queries
    document, plain = to_document(record, "s", None), to_document(Record("x", None, None), "s", None)
    assert (document.queries, document.id) == (queries, plain.id)
    assert (sha256_of([document]) != sha256_of([plain])) == bool(queries)


def test_wrong_queries_are_refused() -> None:
    with pytest.raises(CompactLMError, match=r"p: the column 'q' holds 5, which is not text; correct columns\.queries"):
        to_record({"t": "x", "q": ["a", 5]}, "p", columns(queries="q"), None)
    with pytest.raises(CompactLMError, match=r"column 'q' of columns\.queries does not exist"):
        to_record({"t": "x"}, "p", columns(queries="q"), None)
    with pytest.raises(ValueError, match="is not a regular expression"):
        QueryLines(lines_of="q", prefix="(")


def test_text_with_surrogates_is_made_encodable() -> None:
    record = to_record({"t": "a\ud83d\ude00b\ud800", "d": "\udc80x"}, "p", columns(document="d"), None)
    assert (record.text, record.document) == ("a\U0001f600b\ufffd", "\ufffdx")


def test_an_id_depends_on_source_text_and_document() -> None:
    def name(source: str, text: str, document: str | None) -> str:
        return to_document(Record(text, document, None), source, None).id

    names = {name("s", "x", None), name("z", "x", None), name("s", "y", None), name("s", "x", "d")}
    assert len(names) == 4
    assert {len(one) for one in names} == {32}
    assert row_id("s", "d", "x", 0) in names
    assert row_id("s", "d", "x", 1) not in names


def test_a_pair_belongs_to_the_id_and_the_targets_to_the_hash_of_the_rows() -> None:
    pairs = Columns(text="t", document=None, label=None, attributes={}, queries=None, pair="p")
    record = to_record({"t": "x", "p": " y "}, "p", pairs, None)
    assert record == Record("x", None, pair="y")
    assert to_record({"t": "x", "p": None}, "p", pairs, None).pair == ""
    assert to_document(record, "s", "task").task is None, "a row without targets is unlabelled"
    documents = [
        to_document(Record("x", None, targets, pair=pair), "s", "task")
        for pair in (None, "y")
        for targets in (Targets(), Targets(labels=()), Targets(score=0.0), Targets(tags=("O",)), Targets(answer="x", answer_start=0))
    ]
    assert len({document.id for document in documents}) == 2
    assert len({sha256_of([document]) for document in documents}) == 10
    with pytest.raises(CompactLMError, match=r"p: the column 'p' holds \['y'\], which is not text; correct columns\.pair"):
        to_record({"t": "x", "p": ["y"]}, "p", pairs, None)


def test_the_words_of_a_row_are_its_text_whether_it_has_tags_or_not() -> None:
    tagged = Columns(text=None, document=None, label=None, attributes={}, queries=None, words="w", tags={"column": "g"})
    record = to_record({"w": ["a", "b c"]}, "p", tagged, None)
    assert (record.text, record.words, record.targets) == ("a b c", ("a", "b", "c"), None)
    task = Task(kind="tagging", sources=["s"], labels=["x"])
    record = to_record({"w": ["a", "b c"], "g": ["O", "B-x"]}, "p", tagged, task)
    document = to_document(record, "s", "names")
    assert (document.words, document.tags, document.task) == (("a", "b", "c"), ("O", "B-x", "I-x"), "names")


def test_nan_is_no_document_and_no_attribute() -> None:
    named = Columns(text="t", document="d", label=None, attributes={"gender": "g"}, queries=None)
    assert to_record({"t": "x", "d": math.nan, "g": math.nan}, "p", named, None) == Record("x", None, None, (("gender", None),))


def test_text_can_be_joined_from_several_and_nested_columns() -> None:
    text = JoinedColumns(columns=["title", "none", "body.parts.0"], separator=" / ")
    joined = Columns(text=text, document="meta.id", label=None, attributes={}, queries=None)
    row = {"title": "T", "none": None, "body": {"parts": ["first", "second"]}, "meta": {"id": 7}}
    assert to_record(row, "p", joined, None) == Record("T / first", "7", None)


@pytest.mark.parametrize("rule", ["d", DocumentPart(column="d", before="_")])
@pytest.mark.parametrize("cell", [None, "", "  "])
def test_a_row_that_names_no_document_is_its_own_document(rule: str | DocumentPart, cell: str | None) -> None:
    assert to_record({"t": "x", "d": cell}, "p", columns(document=rule), None).document is None
