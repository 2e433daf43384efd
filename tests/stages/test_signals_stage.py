"""The budget of the cache is checked before the teacher is asked."""

from types import SimpleNamespace

import pytest
import yaml

from compactlm.distillation.examples import TaskRows
from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.stages.signals import _check_size


@pytest.fixture
def inputs(default_params):
    """A function that gives 30 rows of 10 tokens for each phase and a vocabulary of 50 tokens."""

    def build(top_k, gigabytes):
        content = yaml.safe_load(default_params)
        content["signals"]["gigabytes"] = gigabytes
        content["signals"]["general"]["top_k"] = top_k
        rows = TaskRows([f"row{at}" for at in range(30)], [[1] * 10] * 30, [-100] * 30, [1.0] * 30)
        return SimpleNamespace(params=parse_params(content), layers=[3, 6], id_map=range(50), general=lambda: rows, task=lambda _: rows)

    return build


def test_no_more_tokens_are_counted_than_the_vocabulary_has(inputs):
    assert _check_size(inputs(10**9, 1.0), 384) == _check_size(inputs(50, 1.0), 384) > _check_size(inputs(5, 1.0), 384)


def test_a_budget_that_the_answers_alone_would_just_keep_is_refused(inputs):
    size = _check_size(inputs(5, 1.0), 384)
    with pytest.raises(CompactLMError, match=r"0\.00\d+ GB, but signals\.gigabytes allows"):
        _check_size(inputs(5, size * 1.001), 384)
    assert _check_size(inputs(5, size * 1.2), 384) == size
