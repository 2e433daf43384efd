import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.records import Record, check_label_names, sample, sha256_of, to_documents, to_record
from compactlm.errors import CompactLMError
from compactlm.params import ColumnLabel, Columns, DocumentPart, Task, ThresholdLabel

TASK = Task(sources=["s"], labels=["negative", "positive"], metric="accuracy")
RATING = ThresholdLabel(column="r", threshold=0.0, below="negative", above="positive")
CLASS = ColumnLabel(column="r", names={"0": "negative", "1": "positive", "true": "positive"})
RECORDS = st.lists(st.builds(Record, text=st.text("ab", max_size=2), document=st.sampled_from([None, "d"]), label=st.sampled_from("xy")))


def columns(label: ThresholdLabel | ColumnLabel | None = None, document: str | DocumentPart | None = None) -> Columns:
    return Columns(text="t", document=document, label=label, attributes={})


@pytest.mark.parametrize(
    ("rule", "value", "label"),
    [(RATING, "-3", "negative"), (RATING, 0, "negative"), (RATING, "0.1", "positive"), (CLASS, 1, "positive"), (CLASS, True, "positive")],
)
def test_labels(rule: ThresholdLabel | ColumnLabel, value: object, label: str) -> None:
    assert to_record({"t": "x", "r": value}, "p", columns(rule), TASK).label == label


@pytest.mark.parametrize(
    ("row", "rule", "message"),
    [
        ({"u": "x"}, None, r"p: there is no column 't' for columns\.text \(columns here: 'u'\)"),
        ({"t": 5}, None, r"p: the text column 't' holds 5, which is no text"),
        ({"t": "x"}, RATING, r"no column 'r' for columns\.label"),
        ({"t": "x", "r": "good"}, RATING, r"holds 'good', which is no number"),
        ({"t": "x", "r": "nan"}, RATING, r"holds 'nan', which is no number"),
        ({"t": "x", "r": "2"}, CLASS, r"label '2' is not declared"),
        ({"t": "x", "r": None}, CLASS, r"label column 'r' is empty"),
        ({"t": "x", "r": "neutral"}, ColumnLabel(column="r", names=None), r"label 'neutral' is not declared \(negative, positive\)"),
    ],
)
def test_a_wrong_row_ends_in_one_sentence(row: dict[str | int, object], rule: ThresholdLabel | ColumnLabel, message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        to_record(row, "p", columns(rule), TASK)


def test_a_source_without_a_task_reads_no_labels() -> None:
    assert to_record({"t": "x"}, "p", columns(RATING), None) == Record("x", None, None)


def test_the_document_is_a_column_or_its_first_part() -> None:
    assert to_record({"t": "x", "d": 7}, "p", columns(document="d"), None).document == "7"
    assert to_record({"t": "x", "d": "30_9_8"}, "p", columns(document=DocumentPart(column="d", before="_")), None).document == "30"


def test_attributes_are_read_from_their_columns() -> None:
    named = Columns(text="t", document=None, label=None, attributes={"region": "r", "gender": "g"})
    record = to_record({"t": "x", "r": 7, "g": " "}, "p", named, None)
    assert record.attributes == (("gender", None), ("region", "7"))
    [document] = to_documents([record], "s", None)
    assert document.attributes == record.attributes
    assert document.id == to_documents([Record("x", None, None)], "s", None)[0].id
    assert sha256_of([document]) != sha256_of(to_documents([Record("x", None, None)], "s", None))
    with pytest.raises(CompactLMError, match=r"no column 'g' for columns\.attributes\.gender"):
        to_record({"t": "x", "r": 7}, "p", named, None)


def test_text_that_no_file_can_hold_is_made_encodable() -> None:
    assert to_record({"t": "a\ud83d\ude00b\ud800"}, "p", columns(), None).text == "a\U0001f600b\ufffd"


def test_a_label_name_outside_the_task_is_refused_before_any_row() -> None:
    rule = ThresholdLabel(column=1, threshold=0, below="bad", above="positive")
    with pytest.raises(CompactLMError, match=r"ingest\.sources\.s\.columns\.label names 'bad'"):
        check_label_names("s", columns(rule), TASK)
    check_label_names("s", columns(RATING), TASK)


@given(RECORDS, st.randoms(use_true_random=False))
def test_ids_are_unique_and_do_not_depend_on_the_order(records: list[Record], rng: random.Random) -> None:
    documents = to_documents(records, "s", "t")
    shuffled = list(records)
    rng.shuffle(shuffled)
    assert to_documents(shuffled, "s", "t") == documents
    assert len({document.id for document in documents}) == len(records)
    assert all(len(document.id) == 32 for document in documents)
    assert sorted((d.text, d.label) for d in documents) == sorted((r.text, r.label) for r in records)


def test_an_id_depends_on_source_text_and_document() -> None:
    def name(source: str, text: str, document: str | None) -> str:
        return to_documents([Record(text, document, None)], source, None)[0].id

    assert len({name("s", "x", None), name("z", "x", None), name("s", "y", None), name("s", "x", "d")}) == 4


@given(RECORDS, st.integers(1, 5), st.integers(0, 3))
def test_a_sample_does_not_depend_on_the_order_and_grows_with_the_limit(records: list[Record], limit: int, seed: int) -> None:
    documents = to_documents(records, "s", None)
    drawn = {document.id for document in sample(documents, limit, seed)}
    assert len(drawn) == min(limit, len(documents))
    assert drawn == {document.id for document in sample(documents[::-1], limit, seed)}
    assert drawn <= {document.id for document in sample(documents, limit + 1, seed)}


def test_the_seed_draws_another_sample_and_the_hash_sees_the_rows() -> None:
    documents = to_documents([Record(str(number), None, None) for number in range(99)], "s", None)
    assert sample(documents, 9, seed=1) != sample(documents, 9, seed=2)
    assert sha256_of(documents) == sha256_of(documents[::-1]) != sha256_of(documents[1:])


@pytest.mark.parametrize("rule", ["d", DocumentPart(column="d", before="_")])
@pytest.mark.parametrize("cell", [None, "", "  "])
def test_a_row_that_names_no_document_is_one_of_its_own(rule: str | DocumentPart, cell: str | None) -> None:
    assert to_record({"t": "x", "d": cell}, "p", columns(document=rule), None).document is None
