import pytest

from compactlm.blind.pairs import draw_comparison
from tests.fixtures.compared import with_right

LABELS = {"sentiment": ["negative", "positive"]}


@pytest.fixture(scope="session")
def answers():
    """120 rows: both are right on 30, only the teacher on 60, only the student on 30."""
    return {"sentiment": with_right([1] * 90 + [0] * 30, [1] * 30 + [0] * 60 + [1] * 30)}


@pytest.fixture
def compare(answers):
    def draw(pairs=30, repeats=6, margin=0.1, seed=17):
        return draw_comparison(answers, LABELS, pairs, repeats, margin, seed)

    return draw
