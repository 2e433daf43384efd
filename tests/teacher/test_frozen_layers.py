import pytest
import torch
from transformers import BertForSequenceClassification

from compactlm.params import FineTuning
from compactlm.tasks import kind_of
from compactlm.teacher.frozen_layers import LabelledStates, cache_gigabytes, frozen_states, without_frozen
from compactlm.teacher.training import as_examples, build_classifier, classification, fine_tune
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings
from compactlm.training.task_losses import TaskLosses
from tests.fixtures.builders import make_optimisation

SETTINGS = Settings(seed=3, checkpoint_minutes=0, log_every=1)
EPOCHS = 3


def params(cache=1.0, dropout=0.0):
    optimisation = make_optimisation(learning_rate=0.01, batch_tokens=256, epochs=EPOCHS, dropout=dropout)
    return FineTuning(frozen_layers=1, cache_gigabytes=cache, optimisation=optimisation)


@pytest.fixture
def labels(tiny_sequences, tiny_tokenizer):
    return [int(tiny_tokenizer.convert_tokens_to_ids("good") in sequence) for sequence in tiny_sequences]


@pytest.fixture
def tune(tiny_bert, tiny_sequences, labels):
    """Fine-tune a classifier; return its weights, the summary, and the calls of its lower and upper layer."""

    def run(settings, checkpoint=None, stop_at=None):
        model = build_classifier(tiny_bert, ["no", "yes"], seed=1)
        calls = [0, 0]
        for layer in (0, 1):

            def count(*_, layer=layer):
                calls[layer] += 1
                if layer == 1 and calls[1] == stop_at:
                    raise KeyboardInterrupt

            model.bert.encoder.layer[layer].register_forward_pre_hook(count)
        summary = fine_tune("t", model, as_examples(tiny_sequences, labels), classification(["no", "yes"]), settings, SETTINGS, checkpoint)
        return model.state_dict(), summary, calls

    return run


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_cache_of_frozen_layers_changes_nothing_but_the_work(tune, dropout):
    kept, summary, (lower, upper) = tune(params(dropout=dropout))
    computed, other, (lower_each_time, _) = tune(params(cache=0.0, dropout=dropout))
    assert lower_each_time == other.steps == upper == summary.steps
    assert lower <= summary.steps / EPOCHS
    assert kept.keys() == computed.keys()
    for name, tensor in computed.items():
        torch.testing.assert_close(kept[name], tensor, rtol=1e-3, atol=1e-4)
    losses = ([means["loss"] for _, means in found.history] for found in (summary, other))
    torch.testing.assert_close(*map(torch.tensor, losses), rtol=1e-4, atol=1e-5)


def test_fine_tuning_above_frozen_layers_resumes_to_the_same_weights(tune, tmp_path):
    expected, whole, _ = tune(params())
    with pytest.raises(KeyboardInterrupt):
        tune(params(), Checkpoint(tmp_path, "key"), stop_at=7)
    weights, resumed, _ = tune(params(), Checkpoint(tmp_path, "key"))
    assert resumed.resumed_from_step == 6
    assert resumed.history == whole.history
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights.items())


def test_frozen_states_are_the_hidden_states_of_each_row(tiny_bert, tiny_sequences):
    model = BertForSequenceClassification.from_pretrained(tiny_bert)
    sequences = tiny_sequences[:20]
    examples, task = as_examples(sequences, [1] * 20), classification(["no", "yes"])
    states = frozen_states(model, 1, examples, 64, processes.connect("fp32"), "t")
    rows = LabelledStates(states, examples, TaskLosses(kind_of(task), task, []), list("abcdefghijklmnopqrst"))
    assert len(model.bert.encoder.layer) == 2
    assert states.shape == (sum(rows.lengths), model.config.hidden_size)
    batch = rows.batch([3, 0], epoch=1)
    assert batch["attention_mask"].sum(dim=1).tolist() == [len(sequences[3]), len(sequences[0])]
    assert batch["labels"].tolist() == [1, 1]
    model.eval()
    for line, row in enumerate([3, 0]):
        with torch.no_grad():
            whole = model.bert(torch.tensor([sequences[row]]), output_hidden_states=True)
        length = len(sequences[row])
        torch.testing.assert_close(batch["inputs_embeds"][line, :length], whole.hidden_states[1][0])
        assert not batch["inputs_embeds"][line, length:].any()


def test_the_model_is_whole_again_after_an_error(tiny_bert):
    model = BertForSequenceClassification.from_pretrained(tiny_bert)
    names = list(model.state_dict())
    with pytest.raises(KeyboardInterrupt), without_frozen(model, 1):
        raise KeyboardInterrupt
    assert list(model.state_dict()) == names


def test_the_cache_of_the_states_of_a_million_tokens():
    assert cache_gigabytes(1_000_000, 768) == pytest.approx(3.072)
