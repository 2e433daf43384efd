import numpy as np
import pytest

from compactlm.blind.judge import tell_apart
from compactlm.blind.summary import told_line
from compactlm.errors import CompactLMError
from tests.fixtures.compared import draw_probabilities

ROWS = 300


@pytest.fixture(scope="module")
def expected():
    return np.random.default_rng(1).integers(0, 2, ROWS)


def test_models_of_one_distribution_are_not_told_apart(expected):
    found = tell_apart(draw_probabilities(expected, 2.0, 1), draw_probabilities(expected, 2.0, 2), 17, 60)
    assert found.chance_low < 0.5 < found.chance_high
    assert not found.told
    assert found.p > 0.05
    assert ": not told apart" in told_line("sentiment", found)


def test_a_more_certain_model_is_told_from_another(expected):
    found = tell_apart(draw_probabilities(expected, 4.0, 1), draw_probabilities(expected, 1.0, 2), 17, 60)
    assert found.auc > 0.8
    assert found.told
    assert found.p == pytest.approx(1 / 61, abs=1e-6)
    assert found == tell_apart(draw_probabilities(expected, 4.0, 1), draw_probabilities(expected, 1.0, 2), 17, 60)


def test_a_model_is_not_told_from_itself(expected):
    same = draw_probabilities(expected, 2.0, 1)
    found = tell_apart(same, same, 17, 20)
    assert (found.rows, found.auc, found.told) == (ROWS, 0.5, False)


def test_three_labels_and_probabilities_of_zero():
    sure = np.tile(np.eye(3), (40, 1))
    found = tell_apart(sure, np.full((120, 3), 1 / 3), 17, 20)
    assert found.auc == 1.0


def test_too_few_rows_are_one_sentence():
    with pytest.raises(CompactLMError, match="at least 50 are needed"):
        tell_apart(np.full((49, 2), 0.5), np.full((49, 2), 0.5), 17)
