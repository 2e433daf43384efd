import threading

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.inference.api import CompactLM
from compactlm.inference.tasks.classifying import classify
from compactlm.tasks.base import Input

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
    answers = classify(lm.task(), (Input("good") for _ in numbers), rows_at_once=3, first_rows=2)
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


def test_an_unknown_task_and_a_string_in_place_of_a_list_are_refused(lm):
    with pytest.raises(CompactLMError, match=r"no task 'spam' in .*: sentiment"):
        lm.classify("good", task="spam")
    for method in (lm.classify_all, lm.embed, lm.check):
        with pytest.raises(CompactLMError, match=r"'good' .* list of texts"):
            method("good")


def test_pairs_are_read_as_transformers_reads_them(heads_root, heads_export, tiny_texts):
    model = BertForSequenceClassification.from_pretrained(heads_root / "entailment").eval()
    tokenizer = AutoTokenizer.from_pretrained(heads_root / "entailment")
    long = " ".join(tiny_texts)
    firsts, seconds = [*tiny_texts[:30], long, "dog", long], [*tiny_texts[30:60], "dog", long, long + " dog"]
    with torch.inference_mode():
        inputs = tokenizer(firsts, seconds, padding=True, truncation="longest_first", max_length=64, return_tensors="pt")
        expected = model(**inputs).logits.softmax(dim=-1).numpy()
    assert inputs["token_type_ids"].any()
    for root in (heads_root, heads_export):
        lm = CompactLM(root, threads=1)
        found = list(lm.classify_all(zip(firsts, seconds, strict=True), "entailment"))
        np.testing.assert_allclose([list(one.probabilities.values()) for one in found], expected, atol=1e-4)
        assert [one.cut for one in found] == [False] * 30 + [True] * 3
        alone = lm.classify(firsts[0], "entailment", pair=seconds[0])
        assert alone.probabilities == pytest.approx(found[0].probabilities, abs=1e-5)
        # Without token types the answers differ.
        untyped = model(**tokenizer(f"{firsts[0]} [SEP] {seconds[0]}", return_tensors="pt")).logits.softmax(dim=-1)
        assert abs(alone.probability - untyped.max().item()) > 1e-3


def test_any_number_of_labels(heads_root, heads_export, tiny_texts):
    model = BertForSequenceClassification.from_pretrained(heads_root / "topics").eval()
    tokenizer = AutoTokenizer.from_pretrained(heads_root / "topics")
    with torch.inference_mode():
        expected = model(**tokenizer(tiny_texts, padding=True, return_tensors="pt")).logits.sigmoid().numpy()
    found = list(CompactLM(heads_export, threads=1).classify_all(tiny_texts, "topics"))
    np.testing.assert_allclose([list(one.probabilities.values()) for one in found], expected, atol=1e-4)
    for one, row in zip(found, expected, strict=True):
        if np.abs(row - 0.5).min() > 1e-3:
            assert set(one.labels) == {label for label, value in one.probabilities.items() if value >= 0.5}
            assert [one.probabilities[label] for label in one.labels] == sorted((one.probabilities[x] for x in one.labels), reverse=True)
    assert len({one.labels for one in found}) > 1


ODD_PAIRS = [("", ""), ("dog", ""), ("", "dog"), ("\U0001f600", "\u05e9\u05dc\u05d5\u05dd"), ("a " * 10_000, "b " * 10_000)]


@pytest.mark.parametrize(("text", "pair"), ODD_PAIRS)
def test_odd_pairs_have_an_answer(heads_export, text, pair):
    answer = CompactLM(heads_export, threads=1).classify(text, "entailment", pair=pair)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.unknown == (len(text) < 10_000)
    assert answer.cut == (len(text) > 100)


def test_one_text_where_two_are_read_and_the_other_way_round_are_refused(heads_export):
    lm = CompactLM(heads_export, threads=1)
    for call, message in (
        (lambda: lm.classify("dog", "entailment"), "'entailment' reads pairs of texts; pass the second text too"),
        (lambda: list(lm.classify_all([("a", "b"), "c"], "entailment")), "reads pairs"),
        (lambda: lm.classify("dog", "topics", pair="cat"), "'topics' reads single texts; leave out the second text"),
        (lambda: list(lm.classify_all([("a", "b", "c")], "entailment")), "is no text but of type tuple"),
        (lambda: lm.classify("dog", "names"), "'names' is of the kind tagging; use tag"),
        (lambda: lm.tag("dog", "rating"), "'rating' is of the kind regression; use score"),
        (lambda: lm.classify("dog"), r"several tasks of the kind classification or multilabel: entailment, topics; choose one"),
        (lambda: lm.classify(None, "topics"), "None is no text but of type NoneType"),
        (lambda: list(lm.classify_all([("a", float("nan"))], "entailment")), "nan is no text but of type float"),
    ):
        with pytest.raises(CompactLMError, match=message):
            call()


def test_the_only_fitting_task_is_taken(heads_export, on_onnx):
    lm = CompactLM(heads_export, threads=1)
    assert lm.score("dog") == lm.score("dog", "rating")
    with pytest.raises(CompactLMError, match=r"has no task of the kind regression; its tasks are sentiment \(classification\)"):
        on_onnx.score("dog")
