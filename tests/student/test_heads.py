import pytest
import torch
from transformers import BertModel

from compactlm.student.heads import SMALL, fold, fold_attention, resize_head, strongest_heads, strongest_neurons
from tests.fixtures.builders import make_config, noise

STREAM = 12  # the student's hidden size; states have one more column for the bias


def head(width, rank=None):
    """Return the weights of a head whose products query^T key and output value have this rank."""
    rank = rank or width
    shapes = {"query": (width, STREAM + 1), "key": (width, STREAM + 1), "value": (width, STREAM + 1), "output": (20, width)}
    mixing = noise(width, rank, seed=9)
    parts = {name: noise(*shape, seed=seed) for seed, (name, shape) in enumerate(shapes.items())}
    parts["query"] = mixing @ noise(rank, STREAM + 1, seed=5)
    parts["value"] = mixing @ noise(rank, STREAM + 1, seed=6)
    return parts


def scores(one, states):
    """Return the attention scores before the softmax."""
    query, key = ((states @ one[name].T) for name in ("query", "key"))
    return query @ key.T / len(one["query"]) ** 0.5


def states():
    return torch.cat([noise(9, STREAM, seed=7), torch.ones(9, 1)], dim=1)


def error_of_values(one, resized):
    """Return the relative error of the values' contribution with the best output projection."""
    wanted = states() @ one["value"].T @ one["output"].T
    given = states() @ resized["value"].T
    return torch.linalg.norm(given @ torch.linalg.lstsq(given, wanted).solution - wanted) / torch.linalg.norm(wanted)


def test_a_head_of_the_same_width_is_unchanged():
    one = head(4)
    same = resize_head(one, 4)
    assert set(same) == {"query", "key", "value"}
    assert all(torch.equal(one[name], same[name]) for name in same)


@pytest.mark.parametrize(("old", "new", "rank"), [(8, 4, 4), (8, 4, 2), (8, 7, 3), (6, 1, 1)])
def test_a_narrower_head_keeps_scores_and_values_of_low_rank(old, new, rank):
    one = head(old, rank)
    narrow = resize_head(one, new)
    assert {part.shape for part in narrow.values()} == {(new, STREAM + 1)}
    # Rows beyond the rank are small random ones, which add this much to the scores.
    noisy = (new - rank) * (SMALL * 8) ** 2
    torch.testing.assert_close(scores(narrow, states()), scores(one, states()), atol=1e-4 + noisy, rtol=1e-4)
    assert error_of_values(one, narrow) < 1e-4


def test_a_narrower_head_keeps_the_largest_part_of_its_scores():
    one = head(8)
    narrow = resize_head(one, 5)
    product, found = one["query"].T @ one["key"] / 8**0.5, narrow["query"].T @ narrow["key"] / 5**0.5
    lost = torch.linalg.svdvals(product)[5:].square().sum().sqrt()
    torch.testing.assert_close(torch.linalg.norm(product - found), lost, atol=1e-4, rtol=1e-4)


def test_a_wider_head_keeps_its_scores_up_to_small_random_rows():
    one = head(4)
    torch.manual_seed(0)
    wide = resize_head(one, 9)
    assert {part.shape for part in wide.values()} == {(9, STREAM + 1)}
    found, expected = scores(wide, states()), scores(one, states())
    assert not torch.equal(found, expected)
    assert (found - expected).abs().max() < 0.05 < 0.02 * expected.abs().max()
    assert error_of_values(one, wide) < 1e-4
    extra = wide["value"][4:]
    assert 0 < extra.abs().max() < 6 * SMALL


def test_a_head_of_zeros_becomes_small_random_rows():
    nothing = {name: torch.zeros_like(part) for name, part in head(4).items()}
    for width in (2, 6):
        for part in resize_head(nothing, width).values():
            assert part.isfinite().all()
            assert 0 < part.abs().max() < 10 * SMALL


def test_the_sign_of_a_factor_does_not_depend_on_the_decomposition():
    one = head(8)
    flipped = {name: -part if name in {"query", "key"} else part for name, part in one.items()}
    narrow, again = resize_head(one, 3), resize_head(flipped, 3)
    for name in narrow:
        torch.testing.assert_close(narrow[name], again[name], atol=1e-4, rtol=1e-4)
    assert (narrow["key"].gather(1, narrow["key"].abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_folding_keeps_the_output_for_states_within_the_components():
    basis = torch.linalg.qr(noise(10, 10)).Q[:6]
    layer = torch.nn.Linear(10, 5)
    mean = noise(10, seed=1)
    # These states differ from their mean only within the components.
    inputs = mean + noise(30, 6, seed=2) @ basis
    weight, bias = fold(layer, basis, mean)
    assert weight.shape == (5, 6)
    torch.testing.assert_close(inputs @ basis.T @ weight.T + bias, layer(inputs), atol=1e-5, rtol=1e-5)


def test_folded_heads_have_the_weights_of_the_attention():
    config = make_config(hidden_size=32, num_attention_heads=4)
    torch.manual_seed(0)
    attention = BertModel(config).encoder.layer[0].attention
    torch.nn.init.normal_(attention.self.key.bias)
    folded = fold_attention(attention.self, attention.output.dense.weight, torch.eye(32), torch.zeros(32))
    assert len(folded) == 4
    for place, one in enumerate(folded):
        rows = slice(8 * place, 8 * place + 8)
        for name in ("query", "key", "value"):
            torch.testing.assert_close(one[name][:, :-1], getattr(attention.self, name).weight[rows])
            torch.testing.assert_close(one[name][:, -1], getattr(attention.self, name).bias[rows])
        assert torch.equal(one["output"], attention.output.dense.weight[:, rows])


def test_the_strongest_heads_have_the_contributions_that_vary_most():
    contexts, output = noise(50, 12), noise(7, 12, seed=1)
    contexts[:, 3:6] *= 100  # head 1 of 4 has large contexts and small output weights
    output[:, 3:6] *= 1e-4
    contexts[:, 6:9] = 1e6  # the contexts of head 2 are large and constant
    contexts[:, 0:3] *= 5
    assert strongest_heads(contexts, output, 4, 1) == [0]
    assert strongest_heads(contexts, output, 4, 2) == [0, 3]
    assert strongest_heads(contexts, output, 4, 9) == [0, 1, 2, 3]


def test_the_strongest_neurons_have_the_contributions_that_vary_most():
    activations, output = noise(50, 5), torch.ones(7, 5)
    activations[:, 1] = 1e4
    activations[:, 4] *= 100
    output[:, 4] *= 1e-3
    activations[:, 3] *= 3
    assert strongest_neurons(activations, output, 1).tolist() == [3]
    assert strongest_neurons(activations, output, 3).tolist() == [0, 2, 3]
    assert strongest_neurons(activations, output, 9).tolist() == [0, 1, 2, 3, 4]
