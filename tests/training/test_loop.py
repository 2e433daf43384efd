import contextlib

import pytest
import torch
from accelerate.state import AcceleratorState
from transformers import BertForMaskedLM

from compactlm.training import loop as training
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Settings, set_dropout, train
from tests.fixtures.builders import make_optimisation
from tests.fixtures.training import Numbers, Regression

SETTINGS = Settings(seed=3, checkpoint_minutes=0, log_every=4)
PLAN = make_optimisation()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(("interrupt_at", "resumed_from"), [(3, 0), (13, 12), (27, 24), (None, 30)])
def test_an_interrupted_or_finished_run_continues_to_the_same_weights_and_history(tmp_path, dropout, interrupt_at, resumed_from):
    whole, logged = Regression(dropout), []
    expected = train("phase", whole, Numbers(), PLAN, SETTINGS, Checkpoint(tmp_path / "a", "key"), lambda *m: logged.append(m))
    assert expected.steps == 30
    assert [at for at, _ in expected.history] == [4, 8, 12, 16, 20, 24, 28, 30]

    checkpoint = Checkpoint(tmp_path / "b", "key")
    with pytest.raises(KeyboardInterrupt) if interrupt_at else contextlib.nullcontext():
        train("phase", Regression(dropout, interrupt_at), Numbers(), PLAN, SETTINGS, checkpoint)
    resumed, examples, logged_again = Regression(dropout), Numbers(), []
    found = train("phase", resumed, examples, PLAN, SETTINGS, checkpoint, lambda *m: logged_again.append(m))
    assert len(examples.asked) == 30 - resumed_from
    assert found.history == expected.history
    assert expected.speed()["resumed_from_step"] == 0
    assert found.speed()["resumed_from_step"] == resumed_from
    assert found.tokens == expected.tokens - resumed_from * 16
    assert logged_again == logged
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_checkpoints_are_written_at_the_given_interval(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, module, optimizer, step, history, states: steps.append(step))
    train("phase", Regression(), Numbers(), PLAN, Settings(3, checkpoint_minutes=60, log_every=4), Checkpoint(tmp_path, "key"))
    assert steps == [30]
    train("phase", Regression(), Numbers(), PLAN, SETTINGS, Checkpoint(tmp_path, "key"))
    assert steps == [30, 4, 8, 12, 16, 20, 24, 28, 30]


def test_frozen_weights_are_unchanged_and_the_loss_falls():
    objective = Regression()
    frozen, last = objective.frozen.weight.clone(), objective.last.weight.clone()
    whole = Numbers().batch(range(40), 0)
    before = objective(**whole)["loss"].item()
    summary = train("phase", objective, Numbers(), make_optimisation(epochs=15), SETTINGS)
    assert torch.equal(objective.frozen.weight, frozen)
    assert not torch.equal(objective.last.weight, last)
    assert objective(**whole)["loss"].item() < 0.5 * before
    assert summary.history[0][1]["half"] == pytest.approx(summary.history[0][1]["loss"] / 2)
    assert summary.tokens == 15 * 40 * 4
    assert summary.speed()["tokens"] == summary.tokens


def test_training_can_end_after_an_epoch():
    objective, examples, epochs = Regression(dropout=0.5), Numbers(), []

    def stops(epoch):
        objective.eval()
        epochs.append(epoch)
        return epoch == 2

    summary = train("phase", objective, examples, make_optimisation(epochs=5), SETTINGS, stops=stops)
    assert epochs == [1, 2]
    assert {epoch for epoch, _ in examples.asked} == {0, 1}
    assert objective.training
    assert summary.history[-1][0] == len(examples.asked)
    train("phase", Regression(), Numbers(), make_optimisation(epochs=2), SETTINGS, stops=epochs.append)
    assert epochs == [1, 2, 1, 2]


def test_every_epoch_reads_all_rows_in_an_order_drawn_by_seed_and_name():
    def order(name, seed):
        examples = Numbers()
        train(name, Regression(), examples, make_optimisation(epochs=2), Settings(seed))
        for epoch in (0, 1):
            assert sorted(row for at, rows in examples.asked for row in rows if at == epoch) == list(range(40))
        return examples.asked

    assert order("phase", 3) == order("phase", 3)
    assert len({str(order(name, seed)) for name, seed in (("phase", 3), ("phase", 4), ("other", 3))}) == 3


def test_the_learning_rate_rises_and_falls_to_almost_0():
    rates = [training._learning_rate(make_optimisation(warmup=0.2, learning_rate=1.0), step, 20) for step in range(20)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4:] == pytest.approx([(20 - step) / 16 for step in range(4, 20)])
    assert all(rate > 0 for rate in rates)


def test_weight_decay_leaves_out_biases_and_norms():
    groups = training._optimizer(Regression(), make_optimisation(weight_decay=0.5)).param_groups
    assert [(group["weight_decay"], [tuple(p.shape) for p in group["params"]]) for group in groups] == [(0.5, [(2, 6)]), (0.0, [(2,)])]


def test_set_dropout_includes_attention(tiny_bert):
    model = BertForMaskedLM.from_pretrained(tiny_bert).train()
    inputs = {"input_ids": torch.arange(8, 20).reshape(1, -1)}
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)
    set_dropout(model, 0.0)
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)


@pytest.fixture
def fresh_accelerate():
    """Accelerate allows one precision in a process, and tests need two."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("fresh_accelerate")
def test_bf16_keeps_weights_in_full_precision():
    objective = Regression()
    summary = train("phase", objective, Numbers(), PLAN, Settings(3, precision="bf16"))
    assert objective.last.weight.dtype == torch.float32
    assert summary.history[-1][1]["loss"] < summary.history[0][1]["loss"]


def test_a_parameter_learns_at_its_own_rate():
    def moved(factor):
        torch.manual_seed(0)
        objective = Regression()
        objective.learning_rates = {objective.last.weight: factor}
        before = objective.last.weight.clone()
        train("phase", objective, Numbers(), make_optimisation(epochs=1), SETTINGS)
        return float((objective.last.weight - before).norm().detach())

    assert 0 < moved(0.1) < 0.3 * moved(1.0)
