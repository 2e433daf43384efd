"""The losses of sentence vectors against values computed by hand, and their properties."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compactlm.distillation.losses.sentences.base import Vectors, unit
from compactlm.distillation.losses.sentences.contrastive import in_batch_contrast, opposite_contrast
from compactlm.distillation.losses.sentences.embedding_losses import EMBEDDING_LOSSES, EmbeddingLosses
from compactlm.distillation.losses.sentences.similarities import similarity_divergence, similarity_error
from compactlm.params import EmbeddingDistillation, SharpenedLoss
from tests.fixtures.builders import noise

SEEDS = st.integers(0, 10_000)
SETTINGS = SharpenedLoss(weight=1.0, temperature=0.5)


def vectors(rows, width, seed):
    return unit(noise(rows, width, seed=seed))


@pytest.fixture
def section(default_params):
    """Return a factory of distill.embedding in which only the named losses have a weight."""
    import yaml

    content = yaml.safe_load(default_params)["distill"]["embedding"]

    def build(**weights):
        changed = {name: {**content[name], "weight": weights.get(name, 0.0)} for name in EMBEDDING_LOSSES}
        return EmbeddingDistillation.model_validate({**content, **changed})

    return build


def test_every_loss_has_a_section_in_params(section):
    assert {name for name, field in EmbeddingDistillation.model_fields.items() if hasattr(getattr(section(), name), "weight")} == set(
        EMBEDDING_LOSSES
    )


@given(rows=st.integers(2, 9), width=st.integers(2, 6), seed=SEEDS)
def test_losses_against_the_teacher_are_0_for_equal_vectors_and_above_0_for_others(rows, width, seed):
    same, other, everything = vectors(rows, width, seed), vectors(rows, width, seed + 1), torch.eye(width)
    for name in ("cosine", "mse", "components", "similarity_kl", "similarity_mse"):
        loss = EMBEDDING_LOSSES[name](SETTINGS, width, everything)
        assert loss(Vectors(same, same)).item() == pytest.approx(0, abs=1e-5), name
        different = loss(Vectors(same, other)).item()
        assert different > -1e-6, name
        if rows > 2 and (same @ same.T - other @ other.T).abs().max() > 0.1:
            assert different > 1e-6, name


def test_projected_losses_of_two_texts():
    own, teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.6, 0.8]])
    components = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    of = {name: float(EMBEDDING_LOSSES[name](SETTINGS, 2, components)(Vectors(own, teacher))) for name in ("cosine", "mse", "components")}
    # The projections are (1, 0, 0) and (0, 1, 0); the cosines with the teacher are 0.6 and 0.6.
    assert of["cosine"] == pytest.approx(0.4)
    assert of["mse"] == pytest.approx((0.16 + 0.64 + 0.16 + 0.64) / 2)
    # The targets in two components are (0.6, 0.8) and (0, 0.6), the second of which is scaled to (0, 1).
    assert of["components"] == pytest.approx((0.4 + 0.0) / 2)


def test_similarity_losses_of_three_texts():
    own = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    teacher = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # Similarities of (1, 2), (1, 3), (2, 3): the student's 0, 0, 1 and the teacher's 1, 0, 0.
    assert float(similarity_error(own, teacher)) == pytest.approx((1 + 0 + 1) / 3)
    high = math.exp(1 / 0.5) / (math.exp(1 / 0.5) + 1)  # the softmax of similarities 1 and 0 at the temperature 0.5

    def divergence(theirs, ours):
        return sum(p * math.log(p / q) for p, q in zip(theirs, ours, strict=True))

    first = divergence((high, 1 - high), (0.5, 0.5))
    second = divergence((high, 1 - high), (1 - high, high))
    third = divergence((0.5, 0.5), (1 - high, high))
    assert float(similarity_divergence(own, teacher, 0.5)) == pytest.approx((first + second + third) / 3)


@given(rows=st.integers(2, 8), seed=SEEDS, temperature=st.floats(0.05, 2.0))
def test_similarities_do_not_depend_on_a_rotation_of_the_vectors(rows, seed, temperature):
    own, teacher = vectors(rows, 4, seed), vectors(rows, 3, seed + 1)
    turn, _ = torch.linalg.qr(noise(4, 4, seed=seed + 2))
    for loss in (lambda x: similarity_divergence(x, teacher, temperature), lambda x: similarity_error(x, teacher)):
        assert float(loss(own @ turn)) == pytest.approx(float(loss(own)), abs=1e-4)


def test_contrast_of_two_pairs():
    first, second = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    scores = [[1 / 0.5, 0.6 / 0.5], [0.0, 0.8 / 0.5]]
    rows = [-math.log(math.exp(row[at]) / sum(map(math.exp, row))) for at, row in enumerate(scores)]
    columns = [
        -math.log(math.exp(column[at]) / sum(map(math.exp, column))) for at, column in enumerate(map(list, zip(*scores, strict=True)))
    ]
    assert float(in_batch_contrast(first, second, 0.5)) == pytest.approx((sum(rows) / 2 + sum(columns) / 2) / 2)


def test_pairs_with_the_same_second_text_are_no_negatives_of_each_other():
    first, second = vectors(3, 4, 1), vectors(3, 4, 2)
    second[2] = second[0]
    partners = torch.tensor([5, 6, 5])
    found = in_batch_contrast(first, second, 0.1, partners)
    assert float(found) < float(in_batch_contrast(first, second, 0.1))
    # A batch of equal partners has nothing to contrast.
    assert float(in_batch_contrast(first, second, 0.1, torch.tensor([1, 1, 1]))) == pytest.approx(0, abs=1e-6)
    assert float(in_batch_contrast(first[:1], second[:1], 0.1)) == 0


@given(seed=SEEDS, temperature=st.floats(0.05, 2.0))
def test_opposites_cost_log_2_if_equally_near_and_less_if_the_right_text_is_nearer(seed, temperature):
    anchor, other = vectors(3, 4, seed), vectors(3, 4, seed + 1)
    assert float(opposite_contrast(anchor, other, other, temperature)) == pytest.approx(math.log(2), rel=1e-5)
    assert (
        float(opposite_contrast(anchor, anchor, other, temperature))
        < math.log(2)
        < float(opposite_contrast(anchor, other, anchor, temperature))
    )


def test_opposites_of_one_triple():
    anchor, right, wrong = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8]]), torch.tensor([[0.8, 0.6]])
    assert float(opposite_contrast(anchor, right, wrong, 0.1)) == pytest.approx(math.log(1 + math.exp(0.2 / 0.1)))


@pytest.mark.parametrize(
    ("parts", "taught", "expected"),
    [(1, True, {"cosine", "similarity_kl"}), (2, True, {"cosine", "similarity_kl", "contrastive"}), (3, False, {"opposites"})],
)
def test_a_batch_has_the_losses_of_its_kind_of_items(section, parts, taught, expected):
    losses = EmbeddingLosses(section(cosine=2.0, similarity_kl=1.0, contrastive=0.5, opposites=3.0), 4, torch.eye(5))
    own = vectors(parts * 2, 4, 1)
    found = losses(Vectors(own, vectors(parts * 2, 5, 2) if taught else None, parts))
    assert set(found) == {"loss", *expected}
    total = sum(losses.weights[name] * float(found[name]) for name in expected)
    assert float(found["loss"]) == pytest.approx(total, rel=1e-5)


def test_gradients_are_finite_for_vectors_of_zeros(section):
    names = [name for name in EMBEDDING_LOSSES if name != "opposites"]
    losses = EmbeddingLosses(section(**dict.fromkeys(names, 1.0)), 4, torch.eye(5))
    raw = torch.zeros(4, 4, requires_grad=True)
    losses(Vectors(unit(raw), vectors(4, 5, 2), 2))["loss"].backward()
    assert torch.isfinite(raw.grad).all()
