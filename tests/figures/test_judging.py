from compactlm.figures.judging import judged


def test_fewer_than_30_rows_are_not_judged():
    assert [judged(rows) for rows in (0, 29, 30, 31)] == [0, 0, 1, 1]
