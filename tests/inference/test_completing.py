import itertools
import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertForMaskedLM

from compactlm.errors import CompactLMError
from compactlm.inference.completing import LOOK_AHEAD

TEXT = "The Film was"


def words_of(pieces):
    words = []
    for piece in pieces:
        if piece.startswith("##") and words:
            words[-1] += piece[2:]
        elif any(map(str.isalnum, piece)):
            words.append(piece.removeprefix("##"))
    return words


def repeats(pieces):
    """Return whether a word is among the pieces three times, or two words twice in a row."""
    words = words_of(pieces)
    pairs = list(itertools.pairwise(words))
    return max(Counter(words).values(), default=0) > 2 or any(one == other for one, other in zip(pairs, pairs[2:], strict=False))


def test_each_token_is_the_likeliest_of_the_first_mask(lm, tiny_bert):
    model, tokenizer = BertForMaskedLM.from_pretrained(tiny_bert).eval(), lm.mlm.tokenizer
    (found,) = lm.complete(TEXT, length=5)
    ids, total = tokenizer.encode([TEXT])[0][1:-1], 0.0
    for step, token in enumerate(found.pieces):
        masks = min(5 - step, 1 + LOOK_AHEAD)
        with torch.inference_mode():
            logits = model(torch.tensor([tokenizer.framed([*ids, *[tokenizer.mask] * masks])])).logits[0, len(ids) + 1]
        chosen = tokenizer.library.token_to_id(token)
        total += float(logits.log_softmax(dim=0)[chosen])
        allowed = logits.clone()
        allowed[:7] = -torch.inf  # special tokens
        if not tokenizer.token(ids[-1])[-1:].isalnum():
            allowed[[*tokenizer.marks, *tokenizer.continuations]] = -torch.inf
        allowed[[at for at in range(len(allowed)) if repeats([*found.pieces[:step], tokenizer.token(at)])]] = -torch.inf
        assert logits[chosen] == pytest.approx(float(allowed.max()), abs=1e-4)  # so short a text repeats no three tokens
        ids.append(chosen)
    assert found.score == pytest.approx(total / 5, abs=1e-4)
    assert found.text == TEXT + found.added
    assert found.added.strip()


def test_sampling_depends_only_on_the_seed(lm):
    drawn = [lm.complete(TEXT, length=8, temperature=1.0, seed=seed)[0].added for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_sampling_from_one_token_is_greedy(lm):
    assert lm.complete(TEXT, length=6, temperature=5.0, top_k=1) == lm.complete(TEXT, length=6)


def test_beams_find_likelier_texts(lm):
    (greedy,) = lm.complete(TEXT, length=6)
    found = lm.complete(TEXT, length=6, beams=4)
    assert len(found) == len({tuple(completion.pieces) for completion in found}) == 4
    scores = [completion.score for completion in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= greedy.score - 1e-6


def test_no_three_tokens_come_twice(lm):
    (found,) = lm.complete("a a a a", length=40)
    tokens = ["a"] * 4 + found.pieces
    triples = [tuple(tokens[start : start + 3]) for start in range(2, len(tokens) - 2)]
    assert len(triples) == len(set(triples))


@pytest.mark.parametrize("how", [{}, {"temperature": 0.3}, {"beams": 3}])
@given(
    text=st.sampled_from(["a", "The film was", "good good good"]),
    seed=st.integers(0, 50),
    favourites=st.sets(st.integers(7, 116), max_size=4),
)
@settings(max_examples=8)
def test_no_word_is_added_thrice_and_no_two_words_twice_in_a_row(on_onnx, how, text, seed, favourites):
    model = on_onnx.mlm
    plain = type(model).masked_logits

    def eager(self, sequences, positions):
        """Add to the scores of some tokens, so that they would be repeated without end."""
        for rows, logits in plain(self, sequences, positions):
            logits[:, list(favourites)] += 30
            yield rows, logits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(model), "masked_logits", eager)
        for found in on_onnx.complete(text, length=16, seed=seed, **how):
            assert not repeats(found.pieces)


@pytest.mark.parametrize("text", ["", "\U0001f600", "good " * 25_000])
def test_odd_texts_are_completed(lm, text):
    (found,) = lm.complete(text, length=3)
    assert len(found.pieces) == 3
    assert np.isfinite(found.score)
    assert found.text.startswith(text.rstrip())


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"text": "a [MASK]"}, ["[MASK]", "fill"]),
        ({"beams": 2, "temperature": 1.0}, ["beams", "temperature"]),
        ({"beams": 65}, ["65", "64"]),
        ({"beams": 0}, ["0", "64"]),
        ({"top_k": 0, "temperature": 1.0}, ["top_k", "0"]),
        ({"length": 0}, ["length", "0"]),
        ({"temperature": float("nan")}, ["temperature", "nan"]),
        ({"temperature": 1.0, "seed": -1}, ["-1", "4294967295"]),
        ({"length": 60}, ["60", "64", str(61 - LOOK_AHEAD)]),
    ],
)
def test_impossible_options_are_named(lm, options, facts):
    with pytest.raises(CompactLMError, match=".*".join(map(re.escape, facts))):
        lm.complete(**{"text": "a", **options})
