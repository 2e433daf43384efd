"""The directories of every kind of task load in transformers, and its pipelines answer like compactlm with the ONNX files.

transformers 5 has no pipeline for question answering, so its model is read directly; transformers.js has one (tests/node/test_kinds.py).
"""

import pytest
import torch
import transformers
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from compactlm import CompactLM
from tests.fixtures.heads import HEADS, NO_ANSWER_THRESHOLD

QUESTIONS = ("was the dog good?", "the story", "music never")


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


@pytest.fixture(scope="module")
def texts(tiny_texts):
    return tiny_texts[:40]


@pytest.fixture(scope="module")
def make_pipeline(heads_root):
    return lambda task, name, **settings: transformers.pipeline(task, str(heads_root / name), **settings)


def by_label(answer):
    return {one["label"]: one["score"] for one in answer}


def test_label_sets(make_pipeline, lm, texts):
    pipeline = make_pipeline("text-classification", "topics", top_k=None)
    given = 0
    for said, found in zip(pipeline(texts), lm.classify_all(texts, "topics"), strict=True):
        assert by_label(said) == pytest.approx(found.probabilities, abs=1e-4)
        assert {one["label"] for one in said if one["score"] >= 0.5} == set(found.labels)
        given += len(found.labels)
    assert 0 < given < len(texts) * len(HEADS["topics"][1])


def test_pairs_of_texts(make_pipeline, lm, texts):
    pipeline, pairs = make_pipeline("text-classification", "entailment", top_k=None), list(zip(texts, reversed(texts), strict=True))
    answers = pipeline([{"text": text, "text_pair": pair} for text, pair in pairs])
    found = [one.probabilities for one in lm.classify_all(pairs, "entailment")]
    assert [by_label(said) for said in answers] == [pytest.approx(one, abs=1e-4) for one in found]
    exchanged = [by_label(said) for said in pipeline([{"text": pair, "text_pair": text} for text, pair in pairs])]
    assert exchanged != [pytest.approx(one, abs=1e-4) for one in found]


def test_numbers(make_pipeline, lm, texts):
    answers = make_pipeline("text-classification", "rating", function_to_apply="none")(texts)
    found = [one.score for one in lm.score_all(texts, "rating")]
    assert [one["score"] for one in answers] == pytest.approx(found, abs=1e-4)
    assert max(found) - min(found) > 0.01


def test_entities(make_pipeline, lm, texts):
    pipeline, entities = make_pipeline("token-classification", "names", aggregation_strategy="first"), 0
    for text, said in zip(texts, pipeline(texts), strict=True):
        found = [(one.label, one.start, one.end) for one in lm.tag(text, "names").entities]
        assert [(one["entity_group"], one["start"], one["end"]) for one in said if one["entity_group"] != "O"] == found, text
        entities += len(found)
    assert entities > 20


def test_answers_in_a_passage(heads_root, lm, texts):
    directory = heads_root / "answers"
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModelForQuestionAnswering.from_pretrained(directory).eval()
    answered = 0
    for question in QUESTIONS:
        for text in texts:
            read = tokenizer(question, text, return_tensors="pt", return_offsets_mapping=True)
            offsets = read.pop("offset_mapping")[0].tolist()
            with torch.inference_mode():
                outputs = model(**read)
            starts, ends = outputs.start_logits[0], outputs.end_logits[0]
            allowed = [at for at, number in enumerate(read.sequence_ids(0)) if number == 1]
            places = [(starts[at] + ends[to], at, to) for at in allowed for to in allowed if at <= to]
            best, at, to = max(places, key=lambda place: float(place[0]))
            found = lm.extract(question, text, "answers")
            if float(best - starts[0] - ends[0]) > NO_ANSWER_THRESHOLD:
                assert (found.start, found.end) == (offsets[at][0], offsets[to][1]), text
                answered += 1
            else:
                assert found.answer is None, text
    assert 10 < answered < len(QUESTIONS) * len(texts)
