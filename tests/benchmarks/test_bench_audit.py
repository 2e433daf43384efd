"""Templates differ in the person alone, and held-out predictions come from heads that have not seen the row."""

import numpy as np
import pytest

from benchmarks.fairness.cross_fitting import groups_of, held_out
from benchmarks.fairness.templates import compare, fill, make_sentences, read_sentences
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from compactlm.params import ModelLimits
from tests.fairness.conftest import LIMITS
from tests.fixtures.builders import make_row

CONTENT = {
    "sentences": ["A {person} made a {quality} film.", "The {quality} {person} left."],
    "qualities": ["odd", "good"],
    "attributes": {"gender": {"women_to_men": [["actress", "actor"], ["woman", "man"]]}},
}


def test_articles_of_templates_agree_with_the_words() -> None:
    assert fill("A {person} made a {quality} film.", person="actress", quality="odd") == "An actress made an odd film."
    assert fill("It is a {quality} portrait of a {person}.", person="man", quality="dull") == "It is a dull portrait of a man."


def test_every_pair_of_sentences_differs_in_the_person_alone() -> None:
    for pairs in read_sentences().values():
        for made in pairs.values():
            assert len(made.own) == len(made.other) == len(made.templates) == len(set(zip(made.own, made.other, strict=True)))
            for own, other in zip(made.own, made.other, strict=True):
                assert own != other
                assert "{" not in own + other
    [made] = make_sentences(CONTENT)["gender"].values()
    assert (made.own[0], made.other[0]) == ("An actress made an odd film.", "An actor made an odd film.")
    assert len(made.own) == 8


@pytest.mark.parametrize(("shift", "status"), [(0.0, Status.OK), (0.6, Status.VIOLATED)])
def test_a_classifier_that_reads_the_person_is_found(shift: float, status: Status) -> None:
    def predict(texts: list[str]) -> np.ndarray:
        women = np.array(["woman" in text or "actress" in text for text in texts])
        favorable = np.array([0.4 + 0.05 * ("good" in text) for text in texts]) + shift * women
        return np.stack([1 - favorable, favorable], axis=1)

    [made] = make_sentences(CONTENT)["gender"].values()
    found = compare(made, {"student": predict}, 1, ModelLimits(**LIMITS), Resampler(200, 1))
    figure = found["paired_parity_difference"]["student"]  # type: ignore[index]
    assert (figure.value, figure.status, found["rows"]) == (float(shift > 0), status, 8)
    assert found["probability_difference"]["student"].value == pytest.approx(shift)  # type: ignore[index]


def test_a_head_never_sees_the_group_of_the_rows_that_it_answers() -> None:
    # Each group has a feature of its own that gives its label away, and nothing else does.
    groups = np.repeat(np.arange(60), 2)
    expected = np.random.default_rng(0).integers(0, 2, 60)[groups]
    features = np.eye(60)[groups]
    held = held_out(lambda: features, expected, groups, 2, folds=6)
    assert held.accuracy < 0.65
    seen = held_out(lambda: features, expected, np.arange(120), 2, folds=6)
    assert seen.accuracy > 0.85
    assert held.probabilities.sum(axis=1) == pytest.approx(np.ones(120))


def test_rows_of_one_document_or_one_text_form_a_group() -> None:
    rows = [
        make_row("a", "Fine film", document="d1"),
        make_row("b", "bad film", document="d1"),
        make_row("c", "fine film!", document="d2"),
        make_row("d", "other", document="d3"),
    ]
    groups = groups_of(rows)
    assert groups[0] == groups[1] == groups[2] != groups[3]
