"""The sections of sentence embeddings on the page and in the card."""

import pytest

from compactlm.report import verdict
from compactlm.report.card.card import write_card
from compactlm.report.embedding_figures import sentence
from compactlm.report.sections.understanding import embedding_benchmark, understanding
from tests.fixtures.made_up_run import with_stages


@pytest.fixture
def without(found):
    """The findings of a run whose student has no sentence embedding."""
    return with_stages(found, evaluate={key: value for key, value in found.metrics["evaluate"].items() if key != "embedding"})


def texts(table):
    return [[cell.text for cell in row] for row in table.cells()]


def test_the_section_has_every_figure_of_every_contestant(found):
    figures, context = understanding(found).blocks
    assert list(figures.head) == ["figure", "teacher", "student", "static table"]
    rows = texts(figures)
    assert [row[0] for row in rows][-2:] == ["accuracy, 16 rows per label", "accuracy, 256 rows per label"]
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in rows[0][1:3]] == ["90.0 % (88.0 to 92.0)", "80.0 % (78.0 to 82.0)"]
    assert rows[2][:3] == ["Spearman with the teacher", "0.990 (0.970 to 1.010)", "0.790 (0.770 to 0.810)"]
    assert list(context.head) == ["decides", "teacher", "student", "static table", "TF-IDF"]
    assert [row[0] for row in texts(context)] == ["negation", "word order", "all"]


def test_the_summary_leads_with_the_embedding_if_there_is_one(found, without):
    first = verdict.sentences(found)[0].replace("\N{NO-BREAK SPACE}", " ")
    assert first == (
        "As a sentence encoder, the student finds the passage of a question in 80.0 % (teacher 90.0 %, static table 70.0 %), "
        "agrees with its teacher by 0.790 (Spearman) and keeps 98.0 % of its accuracy with 16 labelled rows per label."
    )
    assert verdict.keys(found)[0].name == "Questions that find their passage"
    assert verdict.sentences(found)[1:] == verdict.sentences(without)
    assert sentence(without) is None
    assert understanding(without) is None


def test_the_benchmark_is_a_section_if_it_was_run(found):
    [table] = embedding_benchmark(found).blocks
    assert list(table.head)[:3] == ["embedding", "size", "question finds its passage at 1"]
    assert [row[0] for row in texts(table)] == ["student", "TF-IDF"]
    assert texts(table)[1][1] == texts(table)[1][3] == ""
    assert embedding_benchmark(type(found)(**{**vars_of(found), "benchmarks": {}})) is None


def vars_of(found):
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def test_the_card_leads_with_the_tables(found, without, test_rows):
    card = write_card(found, test_rows, [])
    assert card.index("## What it understands") < card.index("## How to use it")
    assert "| question finds its passage at 1 |" in card
    assert "| word order |" in card
    assert "## What it understands" not in write_card(without, test_rows, [])
