import math

import numpy as np
import onnx
import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.inference.onnx import INPUTS, Agreement, check_agreement, compare_with_original, export_onnx, open_session


@pytest.fixture(scope="module")
def classifier(tiny_classifier):
    return BertForSequenceClassification.from_pretrained(tiny_classifier)


@pytest.fixture(scope="module")
def masked(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)


# An export takes seconds, so these three are all there are.
@pytest.fixture(scope="module")
def exported(tmp_path_factory, classifier, masked):
    """Paths of the classifier, of the same again, and of the masked language model."""
    directory = tmp_path_factory.mktemp("onnx")
    paths = [directory / name for name in ("classifier.onnx", "again.onnx", "masked.onnx")]
    for model, path in zip((classifier.train(), classifier, masked), paths, strict=True):
        export_onnx(model, path, 18)
    return paths


def test_both_heads_agree_with_the_original(exported, classifier, masked, tiny_sequences):
    for model, path in ((classifier, exported[0]), (masked, exported[2])):
        agreement = compare_with_original(model, path, tiny_sequences, 256, 1, "compare")
        assert agreement.rows == len(tiny_sequences)
        assert 0 < agreement.greatest_difference < 1e-4
        assert agreement.same_prediction > 0.999
        check_agreement(agreement, 1e-4, path)


def test_two_exports_give_the_same_bytes(exported):
    assert exported[0].read_bytes() == exported[1].read_bytes()
    assert sorted(path.name for path in exported[0].parent.iterdir()) == ["again.onnx", "classifier.onnx", "masked.onnx"]


def test_a_file_names_inputs_and_no_path_of_the_machine(exported):
    proto = onnx.load(exported[0])
    assert tuple(value.name for value in proto.graph.input) == INPUTS
    assert [value.name for value in proto.graph.output] == ["logits"]
    assert [entry.version for entry in proto.opset_import if entry.domain == ""] == [18]
    content = exported[0].read_bytes()
    for part in (b"site-packages", b".py", str(exported[0].parent).encode()):
        assert part not in content


@pytest.mark.parametrize(("rows", "length"), [(1, 2), (1, 64), (5, 9)])
def test_rows_and_pieces_are_free(exported, classifier, rows, length):
    ids = torch.randint(7, 117, (rows, length), generator=torch.Generator().manual_seed(0))
    feeds = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.ones_like(ids)}
    found = open_session(exported[0], 1).run(["logits"], {name: tensor.numpy() for name, tensor in feeds.items()})[0]
    with torch.inference_mode():
        expected = classifier.eval()(**feeds).logits.numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_comparison_notices_another_model(exported, tiny_classifier, tiny_sequences):
    other = BertForSequenceClassification.from_pretrained(tiny_classifier)
    with torch.no_grad():
        other.classifier.bias += torch.tensor([0.0, 50.0])
    agreement = compare_with_original(other, exported[0], tiny_sequences, 256, 1, "compare")
    assert agreement.greatest_difference == pytest.approx(50, abs=0.1)
    assert agreement.same_prediction < 0.99
    with pytest.raises(CompactLMError, match=r"differs from the original by 50 on 144 test rows, more than export\.tolerance 0\.0001"):
        check_agreement(agreement, 1e-4, exported[0])


def test_a_difference_that_is_no_number_is_refused(exported):
    check_agreement(Agreement(1, 1e-4, 1.0), 1e-4, exported[0])
    with pytest.raises(CompactLMError, match="differs from the original by nan"):
        check_agreement(Agreement(1, math.nan, 1.0), 1e-4, exported[0])
