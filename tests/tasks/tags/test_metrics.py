import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.tags.metrics import best_constant, count, metrics_of

TAG = st.sampled_from(["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC"])
TEXTS = st.lists(st.lists(st.tuples(TAG, TAG), max_size=8), min_size=1, max_size=6)


def values(expected, answered):
    return {name: float(value) for name, value in metrics_of(count(expected, answered).sum(axis=0)).items()}


def test_the_figures_of_seqevals_documentation():
    expected = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    answered = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    found = values(expected, answered)
    assert found["entity_f1"] == 0.5
    assert found["token_accuracy"] == 0.8


@given(TEXTS)
def test_metrics_agree_with_seqeval(texts):
    oracle = pytest.importorskip("seqeval.metrics")
    expected, answered = ([[pair[side] for pair in text] for text in texts] for side in (0, 1))
    found = values(expected, answered)
    for name in ("f1", "precision", "recall"):
        assert found[f"entity_{name}"] == pytest.approx(getattr(oracle, f"{name}_score")(expected, answered, zero_division=0))


def test_a_text_without_entities_has_no_part_in_f1_and_none_without_words_in_accuracy():
    assert values([["O", "O"]], [["O", "O"]]) == {"entity_f1": 0, "token_accuracy": 1, "entity_precision": 0, "entity_recall": 0}
    assert math.isnan(values([[]], [[]])["token_accuracy"])


def test_an_answer_of_another_length_is_no_answer():
    with pytest.raises(ValueError, match="shorter"):
        count([["O", "O"]], [["O"]])


def test_resamples_weigh_texts():
    expected, answered = [["B-PER"], ["B-PER"]], [["B-PER"], ["O"]]
    weights = np.array([[1, 1], [2, 0], [0, 2]], dtype=float)
    assert metrics_of(weights @ count(expected, answered))["entity_f1"].tolist() == pytest.approx([2 / 3, 1, 0])


def test_the_best_constant_tag():
    rows = [["O", "O", "B-PER"], ["B-PER", "O", "O"]]
    assert best_constant(rows, ["O", "B-PER", "I-PER"], "token_accuracy") == "O"
    assert best_constant(rows, ["O", "B-PER", "I-PER"], "entity_f1") == "B-PER"
