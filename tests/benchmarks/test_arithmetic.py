import pytest

from benchmarks.train.arithmetic import Shape, Size, Work, amortised, body_flops, head_flops, padding, rates, rows_for, step_flops

SMALL, LARGE = Shape(2, 4, 8, 10), Shape(3, 6, 12, 10)


def test_a_multiply_add_is_two_operations():
    # Per position and layer: 4 products of 4x4 and 2 of 4x8. Per layer and row: two products of 5x5 with 4.
    assert body_flops(SMALL, 1, 5) == 2 * 2 * (5 * (64 + 64) + 2 * 25 * 4)
    assert body_flops(SMALL, 3, 5) == 3 * body_flops(SMALL, 1, 5)


def test_a_step_trains_the_student_and_runs_the_teacher():
    size = Size(rows=2, length=5, tokens=8, masked=3)
    student = body_flops(SMALL, 2, 5) + head_flops(SMALL, 3) + 2 * 10 * 4 * 6
    teacher = body_flops(LARGE, 2, 5) + head_flops(LARGE, 3)
    assert step_flops(Work(SMALL, LARGE, 6, 1, "masked"), size) == 3 * student + teacher
    assert step_flops(Work(SMALL, None, 6, 1, "masked"), size) == 3 * student
    dense = step_flops(Work(SMALL, None, 6, 1, "all"), size)
    assert dense - 3 * student == 3 * head_flops(SMALL, 7)


def test_padding_is_the_share_of_positions_without_a_token():
    assert padding([Size(2, 5, 10), Size(2, 5, 5)]) == pytest.approx(0.25)


def test_windows_divide_the_steps():
    assert rates(10, [11, 12, 14, 16, 17, 18], [4] * 6) == pytest.approx([4, 2, 4])
    assert rates(0, [2], [6]) == pytest.approx([3])


def test_the_cost_of_a_cache_is_spread_over_epochs():
    assert amortised(100, 500, 1, 5) == pytest.approx(50)
    assert amortised(100, 500, 10, 5) == pytest.approx(5000 / 55)


def test_rows_have_as_many_tokens_as_the_batches():
    assert rows_for([3] * 100, 8) == 12
    assert rows_for([3], 4) == 1
