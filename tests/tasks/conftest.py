import dataclasses

import pytest

from compactlm.tasks.base import TaskOfModel
from tests.fixtures.tiny import LETTERS, MARKS, SPECIAL_AND_UNUSED, WORDS


def bert_tokenizer(tokens, lowercase):
    """Return a WordPiece tokenizer of the library, with BERT's reading of text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


@pytest.fixture(scope="session")
def segmenters():
    """Two segmentations, as a teacher's and a student's: one with whole words, the other with letters alone, which keeps letter case."""
    from compactlm.tasks.segmenting import LibrarySegmenter

    whole = [*SPECIAL_AND_UNUSED, *MARKS, *LETTERS, *WORDS]
    return [
        LibrarySegmenter(bert_tokenizer(tokens, lowercase))
        for tokens, lowercase in ((whole, True), ([*SPECIAL_AND_UNUSED, *LETTERS], False))
    ]


@pytest.fixture
def make_task():
    """Return a factory of tasks."""

    def make(kind, labels=(), metric=None, **others):
        from compactlm.tasks import KINDS

        return TaskOfModel(kind, tuple(labels), metric or KINDS[kind].main_metrics[0], **others)

    return make


@pytest.fixture
def told_outputs():
    """Return a function that gives logits of which the answers are the targets of the examples, as a model without error would."""
    import numpy as np

    from compactlm.tasks.base import IGNORED

    def tell(examples, outputs):
        logits = []
        for example in examples:
            table = np.zeros((len(example.input_ids), outputs), np.float32)
            for position, number in enumerate(example.target):
                if number not in (IGNORED, -1):
                    table[position, int(number)] = 9.0
            logits.append(table)
        return logits

    return tell


@pytest.fixture
def strip_targets():
    """Return a function that removes the targets of examples, so that answers can come from nothing but the outputs."""
    return lambda examples: [dataclasses.replace(example, target=None) for example in examples]
