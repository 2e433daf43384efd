import random

import numpy as np
import pytest

from compactlm.draws import DrawnUntil, draw_bits, draw_column, draw_generator, draw_items, draw_share, sample
from tests.fixtures.builders import make_row

ROWS = [make_row(number) for number in range(12)]


def test_a_sample_does_not_depend_on_the_order_of_the_rows():
    drawn = sample(ROWS, 4, 3)
    assert drawn == sample(ROWS[::-1], 4, 3) == sorted(drawn, key=lambda row: row.id)
    assert len(drawn) == 4
    assert drawn != sample(ROWS, 4, 4)
    assert sample(ROWS, 99, 3) == ROWS


def test_a_draw_has_a_fixed_value_and_differs_for_other_parts():
    assert draw_bits("sample", 3, "a") == 0x1A7F60E8301B0D03
    assert len({draw_bits("a", 1), draw_bits("a", 2), draw_bits("b", 1), draw_bits("a1")}) == 4
    assert draw_column(["a", "b"], "sample", 3).tolist() == [draw_bits("sample", 3, "a"), draw_bits("sample", 3, "b")]
    assert draw_generator("sample", 3).random() == random.Random(draw_bits("sample", 3)).random()


def test_shares_are_spread_evenly_below_one():
    shares = np.array([draw_share("test", number) for number in range(4_000)])
    assert shares.min() >= 0
    assert shares.max() < 1
    assert np.histogram(shares, 10)[0] == pytest.approx(np.full(10, 400), abs=80)


def test_items_have_the_order_of_their_draws_for_any_number_of_items():
    drawn = draw_items("abcdefgh", 5, "test", 1, key=str)
    assert drawn[:3] == draw_items("hgfedcba", 3, "test", 1, key=str)


@pytest.mark.parametrize(("total", "least", "count"), [(10, 1, 4), (10, 6, 6), (1, 1, 1), (999, 1, 12)])
def test_items_are_drawn_until_their_sizes_reach_the_total(total: int, least: int, count: int):
    kept = []
    for rows in (ROWS, ROWS[::-1]):
        drawn: DrawnUntil[str] = DrawnUntil(total, "test", 1, least=least)
        for row in rows:
            drawn.add(row.id, 3, row.text)
        kept.append(drawn.items())
    assert kept[0] == kept[1] == [row.text for row in draw_items(ROWS, count, "test", 1, key=lambda row: row.id)]
