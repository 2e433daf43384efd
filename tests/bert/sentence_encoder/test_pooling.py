import numpy as np
import pytest

from compactlm.bert.sentence_encoder.pooling import POOLINGS, pool

HIDDEN = np.array([[[1, 9], [3, -1], [8, -5]], [[-2, -4], [70, 70], [70, 70]]], dtype=np.float32)
MASK = np.array([[1, 1, 1], [1, 0, 0]])
EXPECTED = {
    "cls": [[1, 9], [-2, -4]],
    "max": [[8, 9], [-2, -4]],
    "mean": [[4, 1], [-2, -4]],
    "mean_sqrt_len_tokens": [[12 / 3**0.5, 3 / 3**0.5], [-2, -4]],
    "weightedmean": [[(1 + 6 + 24) / 6, (9 - 2 - 15) / 6], [-2, -4]],
    "lasttoken": [[8, -5], [-2, -4]],
}


@pytest.mark.parametrize("mode", POOLINGS)
def test_pooling_ignores_padding(mode):
    found = pool(HIDDEN, MASK, [mode])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, EXPECTED[mode], rtol=1e-6)


def test_several_poolings_stand_side_by_side_in_their_order():
    np.testing.assert_allclose(pool(HIDDEN, MASK, ["mean", "cls"]), np.hstack([EXPECTED["mean"], EXPECTED["cls"]]), rtol=1e-6)


def test_the_mean_of_a_row_without_tokens_is_zero():
    assert not pool(HIDDEN, np.zeros((2, 3), dtype=np.int64), ["mean"]).any()
