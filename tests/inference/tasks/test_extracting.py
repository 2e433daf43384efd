import numpy as np
import pytest
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from compactlm import CompactLM
from tests.fixtures.heads import NO_ANSWER_THRESHOLD

PASSAGE = "the old dog played with a cat by the river, and young people loved the bright music in winter 1999."


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


def best_place(logits, offsets, types):
    """Return the characters of the place with the highest sum of logits, and whether no answer is better."""
    starts, ends = logits
    places = [
        (float(starts[first] + ends[last]), first, last)
        for first in range(len(starts))
        for last in range(first, len(ends))
        if types[first] == types[last] == 1 and offsets[last] != (0, 0) and offsets[first] != (0, 0)
    ]
    score, first, last = max(places)
    return (offsets[first][0], offsets[last][1]), score - float(starts[0] + ends[0]) <= NO_ANSWER_THRESHOLD


def test_the_answer_is_the_best_place_of_the_model(heads_root, lm, tiny_texts):
    model = AutoModelForQuestionAnswering.from_pretrained(heads_root / "answers").eval()
    tokenizer = AutoTokenizer.from_pretrained(heads_root / "answers")
    nothing = 0
    for root in (heads_root, lm.root):
        for question, found in zip(
            tiny_texts[:40], CompactLM(root, threads=1).extract_all((text, PASSAGE) for text in tiny_texts[:40]), strict=True
        ):
            inputs = tokenizer(question, PASSAGE, return_tensors="pt", return_offsets_mapping=True)
            offsets = [tuple(one) for one in inputs.pop("offset_mapping")[0].tolist()]
            with torch.inference_mode():
                outputs = model(**inputs)
            place, none = best_place((outputs.start_logits[0], outputs.end_logits[0]), offsets, inputs["token_type_ids"][0].tolist())
            assert 0 <= found.score <= 1
            if none:
                nothing += 1
                assert (found.answer, found.start, found.end) == (None, None, None)
            else:
                assert (found.start, found.end) == place
                assert found.answer == PASSAGE[found.start : found.end]
    assert 0 < nothing < 80


def test_a_long_passage_is_read_in_windows(lm):
    filler = "people played music. " * 600
    alone = lm.extract("where is the dog?", "the dog is by the river")
    found = lm.extract("where is the dog?", filler + "the dog is by the river. " + filler)
    assert 0 <= found.score <= 1
    if found.answer is not None:
        assert found.answer == (filler + "the dog is by the river. " + filler)[found.start : found.end]
    assert alone.answer is None or alone.answer in "the dog is by the river"


ODD = [
    ("", ""),
    ("where?", ""),
    ("", "by the river"),
    ("where?", " \n"),
    ("w " * 10_000, "by the river"),
    ("where?", "\U0001f600 \u05e9\u05dc\u05d5\u05dd"),
    ("\ud83d", "a"),
]


@pytest.mark.parametrize(("question", "passage"), ODD)
def test_odd_questions_and_passages_have_an_answer_or_none(lm, question, passage):
    found = lm.extract(question, passage)
    assert np.isfinite(found.score)
    if not passage.strip():
        assert found.answer is None
        assert found.unknown
    if found.answer is not None:
        assert found.answer == passage[found.start : found.end]
