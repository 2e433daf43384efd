from compactlm.artifacts import Document
from compactlm.draws import row_seed, sample

ROWS = [Document(f"{number:032x}", "s", f"text {number}", f"d{number}") for number in range(12)]


def test_a_sample_depends_on_the_rows_and_not_on_their_order():
    drawn = sample(ROWS, 4, 3)
    assert drawn == sample(ROWS[::-1], 4, 3) == sorted(drawn, key=lambda row: row.id)
    assert len(drawn) == 4
    assert drawn != sample(ROWS, 4, 4)
    assert sample(ROWS, 99, 3) == ROWS


def test_a_seed_is_the_same_in_every_process_and_another_for_other_parts():
    assert row_seed("sample", 3, "a") == 0xD23E1CF6EAAC06C8
    assert len({row_seed("a", 1), row_seed("a", 2), row_seed("b", 1), row_seed("a1")}) == 4
