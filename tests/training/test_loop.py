import pytest
import torch
from accelerate.state import AcceleratorState
from transformers import BertForMaskedLM

from compactlm.bert.models import pad_tensors
from compactlm.params import Optimisation
from compactlm.training import loop as training
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings, set_dropout, train

SETTINGS = Settings(seed=3, checkpoint_minutes=0, log_every=4)


def optimisation(**changes):
    return Optimisation(
        **{"epochs": 3, "learning_rate": 0.05, "weight_decay": 0.01, "warmup": 0.1, "batch_tokens": 16, "dropout": 0.0} | changes
    )


class Numbers:
    """Rows of a linear problem, and what it is asked for."""

    def __init__(self, rows=40):
        self.lengths = [4] * rows
        generator = torch.Generator().manual_seed(1)
        self.inputs = torch.randn(rows, 6, generator=generator)
        self.targets = self.inputs @ torch.randn(6, 2, generator=generator)
        self.asked = []

    def batch(self, positions, epoch):
        self.asked.append((epoch, list(positions)))
        return {"inputs": self.inputs[list(positions)], "targets": self.targets[list(positions)]}


class Regression(torch.nn.Module):
    """A frozen layer and a trainable one behind dropout. Raises `KeyboardInterrupt` at a given call."""

    def __init__(self, dropout=0.0, interrupt_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.frozen = torch.nn.Linear(6, 6).requires_grad_(False)
        self.dropout, self.last = torch.nn.Dropout(dropout), torch.nn.Linear(6, 2)
        self.calls, self.interrupt_at = 0, interrupt_at

    def forward(self, inputs, targets):
        self.calls += 1
        if self.calls == self.interrupt_at:
            raise KeyboardInterrupt
        loss = (self.last(self.dropout(self.frozen(inputs))) - targets).square().mean()
        return {"loss": loss, "half": loss / 2}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("interrupt_at", [3, 13, 27])
def test_a_killed_run_goes_on_to_the_same_weights_and_history(tmp_path, dropout, interrupt_at):
    whole, logged = Regression(dropout), []
    expected = train("phase", whole, Numbers(), optimisation(), SETTINGS, Checkpoint(tmp_path / "a", "key"), lambda *m: logged.append(m))
    assert expected.steps == 30
    assert [at for at, _ in expected.history] == [4, 8, 12, 16, 20, 24, 28, 30]

    checkpoint = Checkpoint(tmp_path / "b", "key")
    with pytest.raises(KeyboardInterrupt):
        train("phase", Regression(dropout, interrupt_at), Numbers(), optimisation(), SETTINGS, checkpoint)
    resumed, examples, logged_again = Regression(dropout), Numbers(), []
    found = train("phase", resumed, examples, optimisation(), SETTINGS, checkpoint, lambda *m: logged_again.append(m))
    assert len(examples.asked) == 30 - (interrupt_at - 1) // 4 * 4
    assert found.history == expected.history
    assert logged_again == logged
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_bert_with_dropout_is_resumed_bit_for_bit(tmp_path, tiny_bert, tiny_sequences):
    class Copying(torch.nn.Module):
        """Learns to say each token again."""

        def __init__(self):
            super().__init__()
            self.model = BertForMaskedLM.from_pretrained(tiny_bert)
            set_dropout(self.model, 0.2)

        def forward(self, input_ids, attention_mask):
            return {"loss": self.model(input_ids, attention_mask=attention_mask, labels=input_ids).loss}

    class Sentences:
        def __init__(self):
            self.lengths = [len(sequence) for sequence in tiny_sequences]

        def batch(self, positions, epoch):
            input_ids, attention_mask = pad_tensors([tiny_sequences[position] for position in positions])
            return {"input_ids": input_ids, "attention_mask": attention_mask}

    examples = Sentences()
    plan = optimisation(epochs=2, batch_tokens=256, learning_rate=1e-3)
    whole, resumed = Copying(), Copying()
    expected = train("phase", whole, examples, plan, SETTINGS)
    half = Checkpoint(tmp_path / "half", "key")

    class Interrupted:
        lengths = examples.lengths
        count = 0

        def batch(self, positions, epoch):
            self.count += 1
            if self.count == 7:
                raise KeyboardInterrupt
            return examples.batch(positions, epoch)

    with pytest.raises(KeyboardInterrupt):
        train("phase", Copying(), Interrupted(), plan, SETTINGS, half)
    found = train("phase", resumed, examples, plan, SETTINGS, half)
    assert found.tokens < expected.tokens
    assert expected.speed()["resumed_from_step"] == 0 < found.speed()["resumed_from_step"] < found.steps
    assert found.history == expected.history
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())


def test_a_finished_phase_is_not_trained_again(tmp_path):
    checkpoint, first, second = Checkpoint(tmp_path / "c", "key"), Regression(), Regression()
    summary = train("phase", first, Numbers(), optimisation(), SETTINGS, checkpoint)
    examples = Numbers()
    again = train("phase", second, examples, optimisation(), SETTINGS, checkpoint)
    assert examples.asked == []
    assert again.history == summary.history
    assert (summary.resumed_from_step, again.resumed_from_step) == (0, summary.steps)
    assert torch.equal(first.last.weight, second.last.weight)


def test_changed_parameters_start_afresh(tmp_path):
    train("phase", Regression(), Numbers(), optimisation(), SETTINGS, Checkpoint(tmp_path / "c", "key"))
    examples = Numbers()
    train("phase", Regression(), examples, optimisation(), SETTINGS, Checkpoint(tmp_path / "c", "another key"))
    assert len(examples.asked) == 30


def test_checkpoints_are_as_rare_as_asked_for(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, module, optimizer, step, history, states: steps.append(step))
    train("phase", Regression(), Numbers(), optimisation(), Settings(3, checkpoint_minutes=60, log_every=4), Checkpoint(tmp_path, "key"))
    assert steps == [30]
    train("phase", Regression(), Numbers(), optimisation(), SETTINGS, Checkpoint(tmp_path, "key"))
    assert steps == [30, 4, 8, 12, 16, 20, 24, 28, 30]


def test_only_what_requires_gradients_changes_and_the_loss_falls():
    objective = Regression()
    frozen, last = objective.frozen.weight.clone(), objective.last.weight.clone()
    whole = Numbers().batch(range(40), 0)
    before = objective(**whole)["loss"].item()
    summary = train("phase", objective, Numbers(), optimisation(epochs=15), SETTINGS)
    assert torch.equal(objective.frozen.weight, frozen)
    assert not torch.equal(objective.last.weight, last)
    assert objective(**whole)["loss"].item() < 0.5 * before
    assert summary.history[0][1]["half"] == pytest.approx(summary.history[0][1]["loss"] / 2)
    assert summary.tokens == 15 * 40 * 4
    assert summary.speed()["tokens"] == summary.tokens


def test_training_ends_after_the_epoch_that_says_so():
    objective, examples, epochs = Regression(dropout=0.5), Numbers(), []

    def stops(epoch):
        objective.eval()
        epochs.append(epoch)
        return epoch == 2

    summary = train("phase", objective, examples, optimisation(epochs=5), SETTINGS, stops=stops)
    assert epochs == [1, 2]
    assert {epoch for epoch, _ in examples.asked} == {0, 1}
    assert objective.training
    assert summary.history[-1][0] == len(examples.asked)
    train("phase", Regression(), Numbers(), optimisation(epochs=2), SETTINGS, stops=epochs.append)
    assert epochs == [1, 2, 1, 2]


def test_every_epoch_reads_all_rows_in_an_order_of_seed_and_name():
    def order(name, seed):
        examples = Numbers()
        train(name, Regression(), examples, optimisation(epochs=2), Settings(seed))
        for epoch in (0, 1):
            assert sorted(row for at, rows in examples.asked for row in rows if at == epoch) == list(range(40))
        return examples.asked

    assert order("phase", 3) == order("phase", 3)
    assert len({str(order(name, seed)) for name, seed in (("phase", 3), ("phase", 4), ("other", 3))}) == 3


def test_the_learning_rate_rises_and_falls_to_almost_0():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight])
    schedule, rates = training._Schedule(optimisation(warmup=0.2, learning_rate=1.0), 20), []
    for step in range(20):
        schedule.set(optimizer, step)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4:] == pytest.approx([(20 - step) / 16 for step in range(4, 20)])
    assert all(rate > 0 for rate in rates)


def test_weight_decay_spares_biases_and_norms():
    groups = training._optimizer(Regression(), optimisation(weight_decay=0.5)).param_groups
    assert [(group["weight_decay"], [tuple(p.shape) for p in group["params"]]) for group in groups] == [(0.5, [(2, 6)]), (0.0, [(2,)])]


def test_set_dropout_reaches_attention_too(tiny_bert):
    model = BertForMaskedLM.from_pretrained(tiny_bert).train()
    inputs = {"input_ids": torch.arange(8, 20).reshape(1, -1)}
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)
    set_dropout(model, 0.0)
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)


@pytest.fixture
def fresh_accelerate():
    """Accelerate allows one precision a process, which is what a stage needs but not what tests need."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("fresh_accelerate")
def test_bf16_keeps_weights_in_full_precision():
    objective = Regression()
    summary = train("phase", objective, Numbers(), optimisation(), Settings(3, precision="bf16"))
    assert objective.last.weight.dtype == torch.float32
    assert summary.history[-1][1]["loss"] < summary.history[0][1]["loss"]
