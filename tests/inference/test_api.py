"""What people pass to CompactLM: iterables of all kinds, missing texts, copies of the object, threads."""

import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from compactlm import CompactLM
from compactlm.errors import CompactLMError

TEXTS = ["a good film", "a bad film"]


@pytest.mark.parametrize("kind", [tuple, iter, np.array, pd.Series, lambda texts: (text for text in texts)])
def test_texts_are_any_iterable_of_strings(lm, kind):
    np.testing.assert_array_equal(lm.embed(kind(TEXTS)), lm.embed(TEXTS))


def test_no_texts_have_vectors_of_the_right_width(lm):
    assert lm.embed([]).shape == (0, lm.embed(TEXTS).shape[1])
    assert list(lm.classify_all([])) == []


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, np.float64("nan"), 3, b"bytes", ["a"]])
def test_what_is_no_text_is_refused(lm, missing):
    uses = [lm.classify, lm.fill, lm.similar, lm.summarize, lm.complete, lm.inspect, lambda text: lm.compare("a", text)]
    uses += [lambda text: lm.embed(["a", text]), lambda text: list(lm.classify_all(["a", text]))]
    for use in uses:
        with pytest.raises(CompactLMError, match=r"is no text but of type \w+; pass strings"):
            use(missing)


def test_one_text_or_no_iterable_in_place_of_texts_is_refused(lm):
    with pytest.raises(CompactLMError, match="is a single text"):
        lm.embed("a good film")
    with pytest.raises(CompactLMError, match="is no list of texts"):
        lm.embed(None)


@pytest.mark.parametrize("table", [pd.DataFrame({"a": ["x"]}), {"a": "x"}, np.array("x"), b"x"])
def test_a_table_in_place_of_texts_is_refused(lm, table):
    with pytest.raises(CompactLMError, match=r"is no list of texts|is a single text"):
        lm.embed(table)
    assert lm.embed(pd.DataFrame({"a": ["x"]})["a"]).shape[0] == 1


@pytest.mark.parametrize("number", [0, -1, -0.5, 1.5, "3", None, float("nan"), float("inf")])
def test_impossible_numbers_are_refused(lm, number):
    uses = {
        "top_k": [lambda: lm.fill("the [MASK]", number), lambda: lm.inspect("a", number), lambda: lm.similar("good", number)],
        "number of sentences": [lambda: lm.summarize("It is good. It is bad.", number)],
        "length": [lambda: lm.complete("a", length=number)],
        "beams": [lambda: lm.complete("a", beams=number)],
    }
    uses["top_k"].append(lambda: lm.complete("a", top_k=number, temperature=1.0))
    for name, calls in uses.items():
        for call in calls:
            with pytest.raises(CompactLMError, match=rf"{name} is .*; pass (a whole number, )?1 "):
                call()
    if number != 0:
        for use, name in ((lambda: lm.complete("a", seed=number), "the seed"), (lambda: CompactLM(lm.root, threads=number), "threads")):
            with pytest.raises(CompactLMError, match=rf"{name} is .*; pass (a whole number, )?0 to "):
                use()
    if number not in (0, 1.5):
        with pytest.raises(CompactLMError, match=r"temperature is .*; pass a number, 0 or more"):
            lm.complete("a", temperature=number)


def test_numbers_of_numpy_are_accepted(lm):
    assert len(lm.fill("the [MASK]", np.int64(2))[0]) == 2
    assert lm.complete("a", length=np.int32(2), temperature=np.float32(0))[0].pieces


@pytest.mark.parametrize("path", [3, 1.5, ["a"], "a\0b"])
def test_what_is_no_path_is_refused(lm, path):
    for name, use in (("model", CompactLM), ("file", lambda path: lm.similar("good", file=path)), ("file", lm.knowledge)):
        with pytest.raises(CompactLMError, match=f"{name} is .*; pass a path"):
            use(path)


@pytest.mark.parametrize("task", ["", ".", "..", "../x", "/", "a\0b", 3])
def test_a_path_is_no_name_of_a_task(lm, task):
    with pytest.raises(CompactLMError, match=r"there is no task .* choose one of"):
        lm.classify("good", task)


def test_a_used_object_can_be_pickled(lm):
    before = lm.embed(TEXTS), lm.classify(TEXTS[0])
    copy = pickle.loads(pickle.dumps(lm))  # noqa: S301 - made here
    np.testing.assert_array_equal(copy.embed(TEXTS), before[0])
    assert copy.classify(TEXTS[0]) == before[1]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_used_object_can_be_used_after_a_fork(export_root):
    lm = CompactLM(export_root, backend="onnx")
    expected = lm.classify(TEXTS[0]), lm.fill("a [MASK]"), lm.embed(TEXTS).tolist()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int((lm.classify(TEXTS[0]), lm.fill("a [MASK]"), lm.embed(TEXTS).tolist()) != expected)
        finally:
            os._exit(status)  # pytest must not go on in the child
    end = time.monotonic() + 120
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.1)
    if done == (0, 0):
        os.kill(child, signal.SIGKILL)
    assert done == (child, 0)


def test_an_object_can_be_used_in_threads(lm):
    texts = [f"a {word} film" for word in ("good", "bad", "nice") for _ in range(20)]
    expected = [lm.classify(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pickle.loads(pickle.dumps(lm)).classify, texts)) == expected  # noqa: S301 - opened in the threads


def test_a_text_that_the_vocabulary_does_not_know_is_told(lm, monkeypatch):
    tokenizer = lm.task().tokenizer
    film = tokenizer.encode(["a good film"])[0]
    known = lm.classify("a good film")
    assert (known.unknown, lm.classify("").unknown) == (False, True)
    monkeypatch.setitem(vars(tokenizer), "fragments", frozenset(film[1:3]))
    assert lm.classify("a good film").unknown
    monkeypatch.setitem(vars(tokenizer), "fragments", frozenset(film[1:2]))
    assert not lm.classify("a good film").unknown


def test_fragments_are_unknown_tokens_and_short_continuations(lm):
    tokenizer = lm.task().tokenizer
    assert tokenizer.unknown in tokenizer.fragments
    others = [tokenizer.token(index) for index in tokenizer.fragments - {tokenizer.unknown}]
    assert all(other.startswith("##") and len(other) <= 4 for other in others)
    assert lm.classify("\U0001f44e\U0001f44e").unknown
