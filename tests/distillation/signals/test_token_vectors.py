from types import SimpleNamespace

import pytest
import torch

from compactlm.distillation.signals.token_vectors import OnlineTokens

TOKENS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "##b", "##c", "##bc", "ab", "abc", "d"]
WIDTH = 6
STATES = torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(0))


def ids(text):
    return [TOKENS.index(token) for token in f"[CLS] {text} [SEP]".split()]


class Teacher:
    """Reads texts of at most 5 tokens: row n has the hidden states STATES[n]."""

    def __init__(self, prompt=""):
        self.sequences, self.lengths = [ids("abc d d"), ids("d")], [5, 3]
        tokenizer = SimpleNamespace(convert_ids_to_tokens=lambda which: [TOKENS[at] for at in which])
        self.teacher = SimpleNamespace(
            tokenizer=_Callable(tokenizer),
            modules=SimpleNamespace(prompt=prompt),
            model=SimpleNamespace(config=SimpleNamespace(num_hidden_layers=2)),
        )

    def read(self, places):
        longest = max(self.lengths[place] for place in places)
        return torch.nn.functional.normalize(self._means(places), dim=-1), STATES[places][:, :longest]

    def _means(self, places):
        return torch.stack([STATES[place, : self.lengths[place]].mean(dim=0) for place in places])


class _Callable:
    def __init__(self, tokenizer):
        self.convert_ids_to_tokens = tokenizer.convert_ids_to_tokens

    def __len__(self):
        return len(TOKENS)

    def __call__(self, text, add_special_tokens=True):
        return {"input_ids": ids(text)[1:-1] if text else []}


@pytest.fixture
def build():
    """Return a factory of the source of two rows, the second text and then the first, and the batch of both."""
    sequences = [ids("d"), ids("a ##b ##c d d")]
    batch = {"input_ids": torch.zeros(2, 7, dtype=torch.int64)}

    def source(**settings):
        return OnlineTokens(Teacher(), [1, 0], sequences, range(len(TOKENS)), torch.eye(WIDTH), **settings), batch

    return source


def test_pieces_divide_the_vector_of_their_word_and_the_mean_is_the_sentence_vector(build):
    source, batch = build()
    states = source.signals(batch, [0, 1])["teacher_states"][:, :, 0]
    assert states.shape == (2, 7, WIDTH)
    assert not states[0, 3:].any()
    unit = Teacher().read([0])[0][0]
    assert torch.allclose(states[1].mean(dim=0), unit, atol=1e-6)
    scale = states[1, 0] / STATES[0, 0]
    assert torch.allclose(states[1, 1:4], (STATES[0, 1] * scale / 3).expand(3, WIDTH), atol=1e-6)
    assert torch.allclose(states[1, 4:], STATES[0, 2:] * scale, atol=1e-6)


def test_the_sentence_vectors_of_the_same_reading_are_kept(build):
    kept = {}
    source, batch = build(keep=lambda places, vectors: kept.update(zip(places, vectors, strict=True)))
    source.signals(batch, [0, 1])
    assert sorted(kept) == [0, 1]
    assert torch.equal(kept[0], Teacher().read([0])[0][0])


def test_rows_that_are_read_ahead_are_not_read_again(build):
    read = []
    source, batch = build(keep=lambda places, _: read.extend(places))
    source.read_ahead([1], 100, "ahead")
    found = source.signals(batch, [0, 1])["teacher_states"]
    assert read == [0, 1]
    plain, _ = build()
    assert torch.allclose(found, plain.signals(batch, [0, 1])["teacher_states"], atol=2e-3)


def test_a_token_beyond_the_end_of_the_teacher_gets_the_mean():
    source = OnlineTokens(Teacher(), [1], [ids("d a d")], range(len(TOKENS)), torch.eye(WIDTH))
    found = source.signals({"input_ids": torch.zeros(1, 5, dtype=torch.int64)}, [0])["teacher_states"][0, :, 0]
    mean = STATES[1, :3].mean(dim=0)
    assert torch.allclose(found[2] / found[2].norm(), mean / mean.norm(), atol=1e-6)
