import math
from typing import Any

import numpy as np
import pytest

from compactlm.text.labels import find_label, label_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (np.float32("nan"), ""),
        ("  ", ""),
        (" ham ", "ham"),
        (True, "true"),
        (np.bool_(False), "false"),
        (1, "1"),
        (1.0, "1"),
        (np.int64(2), "2"),
        (0.5, "0.5"),
        ("True", "True"),
        ("1.0", "1.0"),
        ("nan", "nan"),
    ],
)
def test_equal_values_have_equal_labels_and_missing_ones_have_none(value: Any, text: str) -> None:
    assert label_text(value) == text


@pytest.mark.parametrize("value", [["ham"], {"a": 1}, ("ham",), math.inf, object()])
def test_other_values_are_no_labels(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a label"):
        label_text(value)


@pytest.mark.parametrize(
    ("given", "known", "found"),
    [
        ("1", ["0", "1"], "1"),
        ("1.0", ["0", "1"], "1"),
        ("1", ["0.0", "1.0"], "1.0"),
        ("1.0", ["1", "1.0"], "1.0"),
        ("True", ["true", "false"], "true"),
        ("true", ["True", "False"], "True"),
        ("good", ["GOOD"], None),
        ("2", ["1"], None),
        ("1.5", ["1"], None),
    ],
)
def test_a_label_is_found_in_another_spelling_of_a_number_or_truth_value(given: str, known: list[str], found: str | None) -> None:
    assert find_label(given, known) == found
