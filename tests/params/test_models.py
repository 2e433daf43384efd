import pytest

from compactlm.params import Student


def test_the_count_of_parameters_is_that_of_the_design() -> None:
    shape = {"layers": 4, "hidden_size": 128, "attention_heads": 2, "intermediate_size": 512, "maximum_positions": 512, "budget": 0.1}
    student = Student(vocabulary_size=9000, **shape)
    assert student.count_parameters() == pytest.approx(2.03e6, rel=0.01)
    assert Student(vocabulary_size=9001, **shape).count_parameters() - student.count_parameters() == 128 + 1
