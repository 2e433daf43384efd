import math

import numpy as np
import pytest
import torch
import transformers
from transformers import BertForSequenceClassification

from compactlm.bert.words_to_mask import mask_one
from compactlm.errors import CompactLMError
from compactlm.export.agreement import (
    Comparison,
    check_difference,
    check_loss,
    compare,
    likeliest_at,
    likeliest_label,
    mean_of,
    measure_cosines,
    measure_loss,
    outputs_of,
)
from compactlm.export.directory import output_names
from tests.fixtures.heads import HEADS


def test_files_agree_with_the_original(export_root, classifier, masked, tiny_sequences):
    items = [mask_one(sequence, 6, str(number)) for number, sequence in enumerate(tiny_sequences)]
    for name, model, sequences, read in (
        ("sentiment", classifier, tiny_sequences, likeliest_label),
        ("mlm", masked, [item.sequence for item in items], likeliest_at([item.position for item in items])),
        ("embedding", masked.bert, tiny_sequences, mean_of),
    ):
        found = compare(model, export_root / name, sequences, read, 256, 1, "compare")
        assert 0 < found.greatest_difference < 1e-4
        check_difference(found, 1e-4, export_root)
        assert len(found.original) == len(found.exported) == len(found.quantized) == len(tiny_sequences)
        if name == "embedding":
            np.testing.assert_allclose(found.original, found.exported, atol=1e-4)
            assert measure_cosines(found)["least_cosine"] > 0.98
        else:
            assert equal(found.original, found.exported) > 0.99
            assert equal(found.original, found.quantized) > 0.85


def equal(some, others):
    return np.mean(np.array(some) == np.array(others))


@pytest.mark.parametrize("name", HEADS)
def test_outputs_of_each_head_are_read_without_padding(heads_root, heads_export, tiny_sequences, name):
    model = getattr(transformers, HEADS[name][0]).from_pretrained(heads_root / name)
    found = compare(model, heads_export / name, tiny_sequences[:30], outputs_of, 128, 1, "compare")
    assert 0 < found.greatest_difference < 1e-4
    for sequence, *outputs in zip(tiny_sequences, found.original, found.exported, found.quantized, strict=False):
        with torch.inference_mode():
            expected = model.eval()(torch.tensor([sequence]))
        alone = torch.stack([expected[name][0] for name in output_names(model)], dim=-1)
        alone = alone[..., 0] if len(output_names(model)) == 1 else alone
        for values, allowed in zip(outputs, (1e-5, 1e-4, 0.5), strict=True):
            np.testing.assert_allclose(values, alone.numpy(), atol=allowed)


def test_choices_in_a_batch_equal_those_of_single_rows(export_root, masked, tiny_sequences):
    items = [mask_one(sequence, 6, str(number)) for number, sequence in enumerate(tiny_sequences[:20])]
    read = likeliest_at([item.position for item in items])
    found = compare(masked, export_root / "mlm", [item.sequence for item in items], read, 256, 1, "compare")
    for item, choice in zip(items, found.original, strict=True):
        with torch.inference_mode():
            logits = masked.eval()(torch.tensor([item.sequence])).logits
        assert int(logits[0, item.position].argmax()) == choice


def test_a_comparison_notices_another_model(export_root, student_root, tiny_sequences):
    other = BertForSequenceClassification.from_pretrained(student_root / "sentiment")
    with torch.no_grad():
        other.classifier.bias += torch.tensor([0.0, 50.0])
    found = compare(other, export_root / "sentiment", tiny_sequences, likeliest_label, 256, 1, "compare")
    assert found.greatest_difference == pytest.approx(50, abs=0.1)
    assert equal(found.original, found.exported) < 0.99
    with pytest.raises(CompactLMError, match=r" 50 on 144 test rows, .* export\.tolerance 0\.0001"):
        check_difference(found, 1e-4, export_root)


def test_a_difference_of_nan_is_refused(export_root):
    row = np.zeros(1)
    check_difference(Comparison(1e-4, row, row, row), 1e-4, export_root)
    with pytest.raises(CompactLMError, match="by nan"):
        check_difference(Comparison(math.nan, row, row, row), 1e-4, export_root)


def loss(rows, lost, gained):
    """Return the loss for rows, half of which the original predicts correctly."""
    expected, original = np.zeros(rows, int), np.arange(rows) % 2
    quantized = original.copy()
    quantized[np.flatnonzero(original == 0)[:lost]] = 1
    quantized[np.flatnonzero(original == 1)[:gained]] = 0
    return measure_loss(expected.tolist(), Comparison(0.0, original, original, quantized))


def test_a_small_loss_passes(tmp_path):
    found = loss(1000, 9, 4)
    assert (found.original_accuracy, found.int8_accuracy) == (0.5, 0.495)
    assert (found.lost, found.gained, found.agreement) == (9, 4, 0.987)
    for rows, lost, gained in ((1000, 5, 0), (1000, 20, 15), (500, 2, 0), (60, 0, 0), (60, 0, 5), (60, 4, 0), (60, 6, 2)):
        check_loss(loss(rows, lost, gained), rows, 0.005, tmp_path)


@pytest.mark.parametrize(("rows", "lost", "gained"), [(1000, 6, 0), (1000, 21, 15), (500, 3, 0), (60, 5, 0), (60, 12, 3), (30, 15, 5)])
def test_a_large_loss_is_refused(tmp_path, rows, lost, gained):
    with pytest.raises(CompactLMError, match=rf"on {rows} test rows \({lost} rows lost, {gained} gained\).*accuracy_loss 0\.005"):
        check_loss(loss(rows, lost, gained), rows, 0.005, tmp_path)
