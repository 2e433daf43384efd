import json

import numpy as np
import pytest

from compactlm.corpus.augment.perturbation import PERTURBATIONS
from compactlm.evaluation.robustness import choose_rows, robustness
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import write_figures
from compactlm.params import Robustness
from tests.fixtures.compared import make_answers

GOOD = "the beginning was really believable"
BAD = "the direction was hardly interesting"
SETTINGS = Robustness(rows=40, strengths={"light": 0.2, "heavy": 0.8})


class Exact:
    """A model that gives exactly the known texts the first label, and all others the second one."""

    def __init__(self, *known, cased=True):
        self.known, self.cased, self.read = known, cased, []

    def answers(self, rows):
        return self.probabilities([row.text for row in rows])

    def probabilities(self, texts):
        self.read.extend(texts)
        return np.array([[0.9, 0.1] if (text if self.cased else text.lower()) in self.known else [0.1, 0.9] for text in texts])


@pytest.fixture
def answers():
    texts = [GOOD if at % 2 == 0 else BAD for at in range(60)]
    right = Exact(GOOD).probabilities(texts)
    return make_answers([at % 2 for at in range(60)], right, right, texts=texts)


def test_kept_predictions_are_counted_by_perturbation_and_model(answers):
    found = robustness(answers, {"teacher": Exact(GOOD, cased=False), "student": Exact(GOOD)}, SETTINGS, Resampler(200, 1))
    assert (found["rows"], found["all"]["student"]["kept"].judged) == (40, True)
    assert tuple(found["perturbations"]) == PERTURBATIONS
    case = found["perturbations"]["case"]["light"]
    assert case["changed"] == 1
    assert (case["teacher"]["kept"].low, case["teacher"]["kept"].high) == (1, 1)
    # All rows of the first label change, about half of the rows.
    chosen = choose_rows(answers.ids, 40, 1)
    lost = sum(at % 2 == 0 for at in chosen) / 40
    assert case["student"]["kept"].value == pytest.approx(1 - lost)
    assert case["student"]["kept"].low < case["student"]["kept"].value < case["student"]["kept"].high
    assert found["worst"]["student"]["kept"].value == pytest.approx(1 - lost)
    every = [case["student"]["kept"].value for kind in found["perturbations"].values() for case in kind.values()]
    assert found["all"]["student"]["kept"].value == pytest.approx(np.mean(every))
    json.dumps(write_figures(found), allow_nan=False)


def test_both_models_read_the_same_texts(answers):
    models = {"teacher": Exact(GOOD), "student": Exact(GOOD)}
    found = robustness(answers, models, SETTINGS, Resampler(100, 1))
    assert models["teacher"].read == models["student"].read
    assert len(models["teacher"].read) == 40 * 2 * len(PERTURBATIONS)
    assert set(found["perturbations"]["keyboard"]) == {"light", "heavy"}


def test_the_draw_depends_on_ids_and_seed_and_not_on_order(answers):
    ids = list(answers.ids)
    chosen = {ids[at] for at in choose_rows(ids, 40, 1)}
    assert len(chosen) == 40
    assert {ids[::-1][at] for at in choose_rows(ids[::-1], 40, 1)} == chosen
    assert {ids[at] for at in choose_rows(ids, 40, 2)} != chosen
    assert len(choose_rows(ids, 100, 1)) == 60


def test_few_rows_are_not_judged(answers):
    settings = SETTINGS.model_copy(update={"rows": 20})
    found = robustness(answers, {"teacher": Exact(GOOD), "student": Exact(GOOD)}, settings, Resampler(100, 1))
    assert not found["all"]["student"]["kept"].judged
