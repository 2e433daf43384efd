import json
import shutil
import threading

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.inference.api import CompactLM
from compactlm.inference.classifying import classify

LONG = "the film was good " * 25_000


def test_the_answers_are_those_of_the_model_in_the_order_of_the_texts(lm, student_root, tiny_texts):
    model = BertForSequenceClassification.from_pretrained(student_root / "sentiment").eval()
    tokenizer = AutoTokenizer.from_pretrained(student_root / "sentiment")
    with torch.inference_mode():
        inputs = tokenizer(tiny_texts, padding=True, return_tensors="pt")
        expected = model(**inputs).logits.softmax(dim=-1).numpy()
    for at_once in (1, 50, 4096):
        found = list(lm.classify_all(tiny_texts, texts_at_once=at_once))
        np.testing.assert_allclose([list(answer.probabilities.values()) for answer in found], expected, atol=1e-4)
        certain = abs(expected[:, 0] - 0.5) > 1e-3
        assert certain.sum() > 100
        labels = np.array([answer.label for answer in found])
        np.testing.assert_array_equal(labels[certain], np.array(["negative", "positive"])[expected.argmax(axis=1)][certain])
    assert {answer.label for answer in found} == {"negative", "positive"}
    assert not any(answer.cut for answer in found)


def test_several_threads_give_the_same_answers(lm, tiny_texts):
    several = CompactLM(lm.root, backend=lm.backend, threads=3)
    texts = tiny_texts * 30
    found = [list(model.classify_all(texts, texts_at_once=300)) for model in (lm, several)]
    alone, together = ([answer.probability for answer in answers] for answers in found)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert list(several.classify_all([])) == []


def test_an_error_in_a_thread_ends_all_threads(lm, monkeypatch):
    def fail(self, batch):
        raise CompactLMError("it is broken; fix it")

    several = CompactLM(lm.root, backend=lm.backend, threads=3)
    monkeypatch.setattr(type(lm.task("sentiment").runner), "task_logits", fail)
    before = threading.active_count()
    with pytest.raises(CompactLMError, match="it is broken"):
        list(several.classify_all(["good"] * 5000))
    assert threading.active_count() == before


def test_few_texts_are_read_ahead_and_the_first_chunk_is_small(lm):
    numbers = iter(range(5))
    next(lm.classify_all(("good" for _ in numbers), texts_at_once=1))
    assert next(numbers) == 1
    numbers = iter(range(10))
    answers = classify(lm.task(), ("good" for _ in numbers), texts_at_once=3, first_texts=2)
    next(answers)
    assert next(numbers) == 8  # two answered, three being classified, three being tokenized
    assert len(list(answers)) == 1 + 3 + 3 + 1


@pytest.mark.parametrize("text", ["", " \t", "\U0001f600\U0001f680", "\ud83d", "\0\0", "good\nbad"])
def test_odd_texts_have_an_answer(lm, text):
    answer = lm.classify(text)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.probability == answer.probabilities[answer.label]


def test_only_the_start_of_a_very_long_text_is_read(lm):
    answer = lm.classify(LONG)
    assert answer.cut
    assert answer.probabilities == pytest.approx(lm.classify("the film was good " * 15 + "the film").probabilities, abs=1e-4)


def with_config(student_root, directory, **values):
    shutil.copytree(student_root, directory)
    path = directory / "sentiment" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return CompactLM(directory, threads=1)


def test_the_decision_threshold_decides(student_root, tmp_path, on_torch, tiny_texts):
    probabilities = sorted(answer.probabilities["positive"] for answer in on_torch.classify_all(tiny_texts))
    threshold = probabilities[-10]
    strict = with_config(student_root, tmp_path / "model", decision_threshold=threshold)
    found = list(strict.classify_all(tiny_texts))
    assert sum(answer.label == "positive" for answer in found) == 10
    assert all(answer.probability == answer.probabilities[answer.label] for answer in found)


@pytest.mark.parametrize("value", [0, 1.0, "0.5", float("nan")])
def test_an_impossible_threshold_is_refused(student_root, tmp_path, value):
    with pytest.raises(CompactLMError, match=r"decision_threshold .* between 0 and 1"):
        with_config(student_root, tmp_path / "model", decision_threshold=value).classify("good")


def test_an_unknown_task_and_a_string_in_place_of_a_list_are_refused(lm):
    with pytest.raises(CompactLMError, match=r"no task 'spam' in .*: sentiment"):
        lm.classify("good", task="spam")
    for method in (lm.classify_all, lm.embed, lm.check):
        with pytest.raises(CompactLMError, match=r"'good' .* list of texts"):
            method("good")
