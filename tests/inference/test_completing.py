import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.errors import CompactLMError
from compactlm.inference.completing import LOOK_AHEAD

TEXT = "The Film was"


def test_each_piece_is_the_likeliest_of_the_first_mask(lm, tiny_bert):
    model, pieces = BertForMaskedLM.from_pretrained(tiny_bert).eval(), lm.mlm.pieces
    (found,) = lm.complete(TEXT, length=5)
    ids, total = pieces.encode([TEXT])[0][1:-1], 0.0
    for step, piece in enumerate(found.pieces):
        masks = min(5 - step, 1 + LOOK_AHEAD)
        with torch.inference_mode():
            logits = model(torch.tensor([pieces.framed([*ids, *[pieces.mask] * masks])])).logits[0, len(ids) + 1]
        chosen = pieces.tokenizer.token_to_id(piece)
        total += float(logits.log_softmax(dim=0)[chosen])
        allowed = logits.clone()
        allowed[:7] = -torch.inf  # special pieces
        if not pieces.piece(ids[-1])[-1:].isalnum():
            allowed[[*pieces.marks, *pieces.continuations]] = -torch.inf
        assert logits[chosen] == pytest.approx(float(allowed.max()), abs=1e-4)  # nothing is repeated in so short a text
        ids.append(chosen)
    assert found.score == pytest.approx(total / 5, abs=1e-4)
    assert found.text == TEXT + found.added
    assert found.added.strip()


def test_drawing_depends_on_the_seed_alone(lm):
    drawn = [lm.complete(TEXT, length=8, temperature=1.0, seed=seed)[0].added for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_of_the_one_likeliest_piece_nothing_is_drawn(lm):
    assert lm.complete(TEXT, length=6, temperature=5.0, top_k=1) == lm.complete(TEXT, length=6)


def test_beams_find_likelier_texts(lm):
    (greedy,) = lm.complete(TEXT, length=6)
    found = lm.complete(TEXT, length=6, beams=4)
    assert len(found) == len({tuple(completion.pieces) for completion in found}) == 4
    scores = [completion.score for completion in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= greedy.score - 1e-6


def test_no_three_pieces_come_twice(lm):
    (found,) = lm.complete("a a a a", length=40)
    pieces = ["a"] * 4 + found.pieces
    triples = [tuple(pieces[start : start + 3]) for start in range(2, len(pieces) - 2)]
    assert len(triples) == len(set(triples))


@pytest.mark.parametrize("text", ["", "\U0001f600", "good " * 25_000])
def test_odd_texts_are_gone_on_with(lm, text):
    (found,) = lm.complete(text, length=3)
    assert len(found.pieces) == 3
    assert np.isfinite(found.score)
    assert found.text.startswith(text.rstrip())


def test_what_cannot_be_done_is_said(lm):
    for options, message in (
        ({"text": "a [MASK]"}, r"the text has \[MASK\], and `complete` writes at its end; use `fill`"),
        ({"text": "a", "beams": 2, "temperature": 1.0}, "give either beams or a temperature"),
        ({"text": "a", "beams": 65}, "65 beams cannot be searched with; give 1 to 64"),
        ({"text": "a", "beams": 0}, "0 beams cannot be searched with"),
        ({"text": "a", "top_k": 0, "temperature": 1.0}, "length 12, top_k 0 and temperature 1.0 cannot all be used"),
        ({"text": "a", "length": 0}, "length 0, top_k 20"),
        ({"text": "a", "temperature": float("nan")}, "temperature nan cannot"),
        ({"text": "a", "temperature": 1.0, "seed": -1}, "the seed is -1; give one from 0 to 4294967295"),
        ({"text": "a", "length": 60}, f"the model reads 64 pieces at once; ask for {61 - LOOK_AHEAD} or fewer"),
    ):
        with pytest.raises(CompactLMError, match=message):
            lm.complete(**options)
