import pytest
import torch

from compactlm.bert.models import classify, load_classifier
from compactlm.errors import CompactLMError
from compactlm.params import FineTuning
from compactlm.tasks import kind_of
from compactlm.teacher.training import LabelledExamples, as_examples, build_classifier, classification, fine_tune
from compactlm.training.loop import Settings
from compactlm.training.task_losses import TaskLosses
from tests.fixtures.builders import make_optimisation

SETTINGS = Settings(seed=3)
TASK = classification(["no", "yes"])
PLAN = {"learning_rate": 0.01, "batch_tokens": 256}


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_fine_tuning_learns_and_leaves_frozen_layers_unchanged(tiny_bert, tiny_sequences, tiny_tokenizer):
    labels = [int(tiny_tokenizer.convert_tokens_to_ids("good") in sequence) for sequence in tiny_sequences]
    model = build_classifier(tiny_bert, ["no", "yes"], seed=1)
    frozen = weights(model.bert.embeddings) | {f"0.{name}": tensor for name, tensor in weights(model.bert.encoder.layer[0]).items()}
    last = model.bert.encoder.layer[1].output.dense.weight.clone()
    fine_tune(
        "t",
        model,
        as_examples(tiny_sequences, labels),
        TASK,
        FineTuning(frozen_layers=1, cache_gigabytes=1.0, optimisation=make_optimisation(**PLAN, epochs=8)),
        SETTINGS,
    )
    now = weights(model.bert.embeddings) | {f"0.{name}": tensor for name, tensor in weights(model.bert.encoder.layer[0]).items()}
    assert all(torch.equal(tensor, now[name]) for name, tensor in frozen.items())
    assert not torch.equal(model.bert.encoder.layer[1].output.dense.weight, last)
    predicted = classify(model, tiny_sequences, 512, "t").argmax(dim=1).tolist()
    right = sum(one == other for one, other in zip(labels, predicted, strict=True)) / len(labels)
    assert right > 0.95 > max(labels.count(0), labels.count(1)) / len(labels)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_more_frozen_layers_than_there_are_is_refused(tiny_bert, tiny_sequences):
    model = build_classifier(tiny_bert, ["no", "yes"], seed=1)
    params = FineTuning(frozen_layers=3, cache_gigabytes=1.0, optimisation=make_optimisation())
    with pytest.raises(CompactLMError, match="frozen_layers is 3, but the teacher has 2 layers; lower it"):
        fine_tune("t", model, as_examples(tiny_sequences, [0] * len(tiny_sequences)), TASK, params, SETTINGS)


def test_a_classifier_is_saved_with_its_labels(tiny_bert, tmp_path):
    build_classifier(tiny_bert, ["bad", "so so", "good"], seed=1).save_pretrained(tmp_path)
    again = load_classifier(tmp_path)
    assert again.config.id2label == {0: "bad", 1: "so so", 2: "good"}
    assert torch.equal(again.classifier.weight, build_classifier(tiny_bert, ["bad", "so so", "good"], seed=1).classifier.weight)
    assert not torch.equal(again.classifier.weight, build_classifier(tiny_bert, ["bad", "so so", "good"], seed=2).classifier.weight)


def test_labelled_sequences_keep_labels_with_their_rows():
    rows = LabelledExamples(as_examples([[1, 2, 3], [4, 5], [6]], [2, 0, 1]), TaskLosses(kind_of(TASK), TASK, []), padding=9)
    batch = rows.batch([2, 0], 0)
    assert rows.lengths == [3, 2, 1]
    assert batch["labels"].tolist() == [1, 2]
    assert batch["input_ids"].tolist() == [[6, 9, 9], [1, 2, 3]]
    assert batch["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
