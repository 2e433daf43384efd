import numpy as np
import pytest
import torch

from compactlm.bert.sentence_encoder.dense import ACTIVATIONS
from compactlm.bert.sentence_encoder.head import SentenceHead
from compactlm.bert.sentence_encoder.modules import SentenceModules
from compactlm.bert.sentence_encoder.pooling import POOLINGS
from tests.fixtures.encoders import make_dense

HIDDEN = np.random.default_rng(3).normal(size=(5, 6, 4)).astype(np.float32)
MASK = (np.arange(6)[None] < np.array([6, 5, 3, 2, 1])[:, None]).astype(np.int64)


def vectors(head):
    return head(torch.from_numpy(HIDDEN), torch.from_numpy(MASK))


@pytest.mark.parametrize("modes", [*((mode,) for mode in POOLINGS), ("mean", "cls")])
def test_poolings_equal_those_of_numpy(modes):
    modules = SentenceModules(pooling=modes, normalise=False)
    np.testing.assert_allclose(vectors(SentenceHead(modules)), modules.pool(HIDDEN, MASK), atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_layers_equal_those_of_numpy(activation):
    modules = SentenceModules(dense=(make_dense(4, 6, 1, activation=activation), make_dense(6, 3, 2, bias=None)))
    found = vectors(SentenceHead(modules)).detach()
    np.testing.assert_allclose(found, modules.apply(modules.pool(HIDDEN, MASK)), atol=1e-6)


def test_training_changes_the_layers_that_are_written():
    modules = SentenceModules(dense=(make_dense(4, 3),))
    head = SentenceHead(modules)
    before = head.dense()[0].weight
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        loss = 1 - vectors(head)[:, 0].mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    trained = SentenceModules(dense=head.dense())
    np.testing.assert_allclose(vectors(head).detach(), trained.apply(trained.pool(HIDDEN, MASK)), atol=1e-6)
    assert (before == modules.dense[0].weight).all()  # neither the modules nor an earlier copy changes
    assert (trained.dense[0].weight != before).any()


def test_building_a_head_draws_nothing():
    torch.manual_seed(1)
    SentenceHead(SentenceModules(dense=(make_dense(4, 3),)))
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
