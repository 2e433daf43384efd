import numpy as np
import pytest
import torch
import transformers
from transformers import AutoTokenizer, BertForTokenClassification

from compactlm import CompactLM
from compactlm.errors import CompactLMError
from tests.fixtures.heads import TAGS


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


def test_each_word_has_the_tag_of_its_first_token(heads_root, lm, tiny_texts):
    model = BertForTokenClassification.from_pretrained(heads_root / "names").eval()
    tokenizer = AutoTokenizer.from_pretrained(heads_root / "names")
    seen = set()
    for root in (heads_root, lm.root):
        for text, found in zip(tiny_texts, CompactLM(root, threads=1).tag_all(tiny_texts), strict=True):
            assert found.text == text
            inputs = tokenizer([word.text for word in found.words], is_split_into_words=True, return_tensors="pt")
            with torch.inference_mode():
                probabilities = model(**inputs).logits[0].softmax(dim=-1).numpy()
            firsts = [inputs.word_ids().index(number) for number in range(len(found.words))]
            for word, at in zip(found.words, firsts, strict=True):
                assert word.text == text[word.start : word.end]
                assert word.probability == pytest.approx(probabilities[at].max(), abs=1e-4)
                assert word.tag == TAGS[probabilities[at].argmax()]
                seen.add(word.tag)
            for entity in found.entities:
                assert entity.text == text[entity.start : entity.end]
                assert entity.label in ("person", "place")
                assert 0 < entity.probability <= 1
    assert len(seen) > 2


def test_the_pipeline_of_transformers_gives_the_same_tags(heads_root, lm, tiny_texts):
    tagger = transformers.pipeline("token-classification", str(heads_root / "names"))
    for text in tiny_texts[:20]:
        found = {one["start"]: one["entity"] for one in tagger(text)}
        ours = {word.start: word.tag for word in lm.tag(text).words if word.tag != "O"}
        assert {start: tag for start, tag in found.items() if start in {word.start for word in lm.tag(text).words}} == ours


def test_nothing_of_a_long_text_is_cut(lm):
    text = "the old dog loved music . " * 2000
    found = lm.tag(text)
    assert len(found.words) == 12_000
    assert [text[word.start : word.end] for word in found.words[-6:]] == ["the", "old", "dog", "loved", "music", "."]
    assert lm.tag(["the", "old", "dog"]).words == lm.tag("the old dog").words


@pytest.mark.parametrize("text", ["", " ", "\U0001f600", "שלום עולם", "e\u0301te\u0301", "\u200b", "a\u00a0b", "x" * 5000, "\ud83d dog"])
def test_odd_texts_keep_their_words(lm, text):
    found = lm.tag(text)
    assert "".join(word.text for word in found.words) == "".join(found.text.split())
    assert all(found.text[word.start : word.end] == word.text for word in found.words)
    assert np.isfinite([word.probability for word in found.words]).all()


def test_what_is_no_text_is_refused(lm):
    for wrong, message in ((None, "None is no text"), (["a", None], "None is no text"), (float("nan"), "nan is no text")):
        with pytest.raises(CompactLMError, match=message):
            lm.tag(wrong)
