"""The size of the student's vocabulary is checked against the teacher's before any text is read."""

import pytest
import yaml

from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.stages.tokenize import _check_size


@pytest.fixture
def sized(default_params):
    """A function that gives the default's parameters with a size of the vocabulary, and no budget that would forbid it."""

    def build(size):
        content = yaml.safe_load(default_params)
        content["student"] |= {"vocabulary_size": size, "budget": 1.0}
        return parse_params(content)

    return build


def test_more_tokens_than_the_teacher_has_are_refused_in_a_sentence(sized):
    for size in (30_522, 8_000, "fit"):
        _check_size(sized(size), 30_522)
    with pytest.raises(CompactLMError, match=r"student\.vocabulary_size is 40,000, .* 30,522 tokens"):
        _check_size(sized(40_000), 30_522)
