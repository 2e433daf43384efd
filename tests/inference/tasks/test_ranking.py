import numpy as np
import pytest

from compactlm import CompactLM
from compactlm.errors import CompactLMError


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


def test_passages_are_ordered_by_a_task_that_reads_pairs(lm, tiny_texts):
    passages = tiny_texts[:25]
    expected = [one.probabilities["yes"] for one in lm.classify_all((("was it good?", text) for text in passages), "entailment")]
    found = lm.rerank("was it good?", passages)
    assert [one.index for one in found] == np.argsort(-np.array(expected), kind="stable").tolist()
    assert [one.text for one in found] == [passages[one.index] for one in found]
    assert [one.score for one in found] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)
    assert lm.rerank("was it good?", passages, top_k=3) == found[:3]
    reversed_order = lm.rerank("was it good?", passages, label="no")
    assert reversed_order[0].index == found[-1].index
    assert lm.rerank("was it good?", []) == []


def test_without_such_a_task_the_sentence_embedding_orders(on_onnx, tiny_texts):
    cosines = on_onnx.embed(tiny_texts[:20]) @ on_onnx.embed(["music"])[0]
    assert [one.index for one in on_onnx.rerank("music", tiny_texts[:20])] == np.argsort(-cosines, kind="stable").tolist()


def test_what_cannot_be_ordered_is_said(lm):
    for options, message in (
        ({"label": "maybe"}, "has no label 'maybe'; choose the label to order by: no, yes"),
        ({"task": "topics"}, "has several labels; choose the label to order by: animals, music, film"),
        ({"task": "topics", "label": "music"}, "'topics' reads single texts"),
        ({"task": "names"}, "is of the kind tagging"),
        ({"top_k": 0}, "top_k is 0; pass 1 or more"),
    ):
        with pytest.raises(CompactLMError, match=message):
            lm.rerank("dog", ["cat"], **options)
    with pytest.raises(CompactLMError, match="single text; pass a list"):
        lm.rerank("dog", "cat")
