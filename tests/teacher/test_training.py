import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.bert.models import classify, load_classifier
from compactlm.errors import CompactLMError
from compactlm.params import FineTuning, MlmHead
from compactlm.teacher.training import LabelledSequences, build_classifier, fine_tune, fit_mlm_head
from compactlm.training.loop import Settings
from tests.fixtures.builders import make_optimisation

SETTINGS = Settings(seed=3)
PLAN = {"learning_rate": 0.01, "batch_tokens": 256}


def head_params(trained_layers=0, **changes):
    return MlmHead(
        sequences=10,
        trained_layers=trained_layers,
        validation_words=1,
        mask_rate=0.2,
        optimisation=make_optimisation(**{**PLAN, **changes}),
    )


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize(("trained_layers", "changed"), [(0, set()), (1, {"1"}), (2, {"0", "1"}), (9, {"0", "1"})])
def test_fitting_a_head_changes_only_the_head_and_the_topmost_layers(tiny_bert, tiny_tokenizer, tiny_sequences, trained_layers, changed):
    model = BertForMaskedLM.from_pretrained(tiny_bert)
    body, head = weights(model.bert), weights(model.cls.predictions.transform)
    fit_mlm_head(model, tiny_tokenizer, tiny_sequences, head_params(trained_layers, epochs=1), SETTINGS)
    moved = {name for name, tensor in body.items() if not torch.equal(tensor, model.bert.state_dict()[name])}
    assert {name.split(".")[2] for name in moved if name.startswith("encoder.layer.")} == changed
    assert not [name for name in moved if not name.startswith("encoder.layer.")]
    assert not any(torch.equal(tensor, model.cls.predictions.transform.state_dict()[name]) for name, tensor in head.items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_fitted_head_is_better_than_word_frequencies_and_can_be_saved(tiny_bert, tiny_tokenizer, tiny_sequences, tmp_path):
    model = BertForMaskedLM.from_pretrained(tiny_bert)
    summary = fit_mlm_head(model, tiny_tokenizer, tiny_sequences, head_params(2, epochs=14, learning_rate=0.003), SETTINGS)
    counts = torch.bincount(torch.tensor([token for sequence in tiny_sequences for token in sequence[1:-1]])).float()
    shares = counts[counts > 0] / counts.sum()
    assert summary.history[-1][1]["loss"] < 0.95 * -(shares * shares.log()).sum()
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    model.save_pretrained(tmp_path)
    again = BertForMaskedLM.from_pretrained(tmp_path)
    ids = torch.tensor([tiny_sequences[0]])
    with torch.inference_mode():
        assert torch.equal(model.eval()(ids).logits, again.eval()(ids).logits)


def test_fine_tuning_learns_and_leaves_frozen_layers_unchanged(tiny_bert, tiny_sequences, tiny_tokenizer):
    labels = [int(tiny_tokenizer.convert_tokens_to_ids("good") in sequence) for sequence in tiny_sequences]
    model = build_classifier(tiny_bert, ["no", "yes"], seed=1)
    frozen = weights(model.bert.embeddings) | {f"0.{name}": tensor for name, tensor in weights(model.bert.encoder.layer[0]).items()}
    last = model.bert.encoder.layer[1].output.dense.weight.clone()
    fine_tune("t", model, tiny_sequences, labels, FineTuning(frozen_layers=1, optimisation=make_optimisation(**PLAN, epochs=8)), SETTINGS)
    now = weights(model.bert.embeddings) | {f"0.{name}": tensor for name, tensor in weights(model.bert.encoder.layer[0]).items()}
    assert all(torch.equal(tensor, now[name]) for name, tensor in frozen.items())
    assert not torch.equal(model.bert.encoder.layer[1].output.dense.weight, last)
    predicted = classify(model, tiny_sequences, 512, "t").argmax(dim=1).tolist()
    right = sum(one == other for one, other in zip(labels, predicted, strict=True)) / len(labels)
    assert right > 0.95 > max(labels.count(0), labels.count(1)) / len(labels)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_more_frozen_layers_than_there_are_is_refused(tiny_bert, tiny_sequences):
    model = build_classifier(tiny_bert, ["no", "yes"], seed=1)
    params = FineTuning(frozen_layers=3, optimisation=make_optimisation())
    with pytest.raises(CompactLMError, match="frozen_layers is 3, but the teacher has 2 layers; lower it"):
        fine_tune("t", model, tiny_sequences, [0] * len(tiny_sequences), params, SETTINGS)


def test_a_classifier_is_saved_with_its_labels(tiny_bert, tmp_path):
    build_classifier(tiny_bert, ["bad", "so so", "good"], seed=1).save_pretrained(tmp_path)
    again = load_classifier(tmp_path)
    assert again.config.id2label == {0: "bad", 1: "so so", 2: "good"}
    assert torch.equal(again.classifier.weight, build_classifier(tiny_bert, ["bad", "so so", "good"], seed=1).classifier.weight)
    assert not torch.equal(again.classifier.weight, build_classifier(tiny_bert, ["bad", "so so", "good"], seed=2).classifier.weight)


def test_labelled_sequences_keep_labels_with_their_rows():
    rows = LabelledSequences([[1, 2, 3], [4, 5], [6]], [2, 0, 1], padding=9)
    batch = rows.batch([2, 0], 0)
    assert rows.lengths == [3, 2, 1]
    assert batch["labels"].tolist() == [1, 2]
    assert batch["input_ids"].tolist() == [[6, 9, 9], [1, 2, 3]]
    assert batch["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
