"""The engine of the page for every kind of task in Node.js, next to the code that Python uses."""

import shutil

import numpy as np
import pytest
from tokenizers import Tokenizer

from benchmarks.page.chromium import SIZES, Chromium
from benchmarks.page.node import run_content
from benchmarks.page.sites import Site
from compactlm.serving.browser.building import build
from compactlm.serving.browser.folder import render_folder
from compactlm.serving.browser.rendering import render
from compactlm.serving.browser.writing import write_folder
from compactlm.tasks import KINDS, task_of_config
from compactlm.tasks.base import Input
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.tasks.tags.words import find_words
from tests.fixtures.heads import HEADS, TAGS

TEXTS = [
    "the film was good",
    "(Ann's) dog -- by the river!!! #dog @ann see https://a.example/b?c, or mail a.b@example.org.",
    "naïve 東京へ行く 🙂🙂 well-known 3.5 £20 «dog» \u200b x\u0301",
    "",
    "the dog " * 300,
]
PAIR = "the dog was by the river"


@pytest.fixture(scope="module")
def content(heads_export):
    return build(heads_export)


@pytest.fixture(scope="module")
def ask(content, tmp_path_factory):
    if not shutil.which("node"):
        pytest.skip("node cannot be found; install Node.js 18 or newer to run the engine in it")

    def run(action, name, texts, **request):
        folder = tmp_path_factory.mktemp("engine")
        found = run_content(content, folder, [{"action": action, "name": name, "text": text, **request} for text in texts])
        assert "refused" not in found, found
        assert found["check"]["largest"] < 1e-4
        return found["rows"]

    return run


def encoded(content, name, text, pair=None):
    """Return what Python reads: the kind, the task and the first window."""
    [model] = [one for one in content.header["models"] if one["name"] == name]
    form, labels, keys = HEADS[name]
    names = {} if labels is None else {"id2label": {str(at): label for at, label in enumerate(labels)}}
    return KINDS[task_of_config({"architectures": [form], **names, **keys}).kind], model, Input(text, pair)


def to_text(text, start, end):
    """Return the part of a text between two places that JavaScript counts, in units of UTF-16."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def test_headers_name_the_kind(content):
    kinds = {model["name"]: (model["kind"], model.get("activation"), model.get("pair")) for model in content.header["models"]}
    assert kinds == {
        "answers": ("span", None, None),
        "entailment": ("task", "softmax", True),
        "names": ("tagging", None, None),
        "rating": ("task", "none", False),
        "topics": ("task", "sigmoid", False),
    }


def test_labels_and_numbers_follow_from_the_logits(ask):
    for name in ("topics", "rating"):
        answers = ask("classify", name, TEXTS)
        assert (answers[0]["cut"], answers[-1]["cut"]) == (False, True)
        for row, answer in zip(ask("values", name, TEXTS), answers, strict=True):
            logits = np.array(row["values"])
            expected = 1 / (1 + np.exp(-logits)) if name == "topics" else logits
            assert answer["probabilities"] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "pair"), [("the film was good", PAIR), ("the dog " * 300, PAIR), (PAIR, "the dog " * 300), ("a " * 90, "b " * 90)]
)
def test_pairs_are_read_as_in_python(ask, content, heads_export, text, pair):
    kind, model, row = encoded(content, "entailment", text, pair)
    segmenter = LibrarySegmenter(Tokenizer.from_file(str(heads_export / "entailment/tokenizer.json")))
    task = task_of_config({"reads_pairs": True})
    [[example]] = kind.encode(segmenter, [row], task, model["limit"])
    [answer] = ask("values", "entailment", [text], pair=pair)
    assert answer["ids"] == example.input_ids
    [reversed_pair] = ask("values", "entailment", [pair], pair=text)
    assert reversed_pair["values"] != answer["values"]
    [marked] = ask("occlude", "entailment", ["the film"], pair="was good")
    assert [to_text("the film\nwas good", one["start"], one["end"]) for one in marked["changes"]] == ["the", "film", "was", "good"]


def test_words_are_found_and_tagged_as_in_python(ask, content, heads_export):
    kind, model, _ = encoded(content, "names", "")
    segmenter = LibrarySegmenter(Tokenizer.from_file(str(heads_export / "names/tokenizer.json")))
    task = task_of_config({"architectures": ["BertForTokenClassification"], "id2label": dict(enumerate(TAGS))})
    for text, row, answer in zip(TEXTS, ask("values", "names", TEXTS), ask("tag", "names", TEXTS), strict=True):
        [windows] = kind.encode(segmenter, [Input(text)], task, model["limit"], places=True)
        assert row["ids"] == windows[0].input_ids
        words = [text[start:end] for start, end in find_words(text)]
        shown = [to_text(text, one["start"], one["end"]) for one in answer["words"]]
        assert shown == words[: len(shown)]
        assert answer["cut"] == (len(shown) < len(words)) == (len(windows) > 1)
        if len(windows) == 1 and words:
            logits = np.array(row["values"]).reshape(-1, len(TAGS))
            [expected] = kind.answers([[logits]], [windows], [Input(text)], task, {})
            assert [one["tag"] for one in answer["words"]] == list(expected.tags)
            assert [one["probability"] for one in answer["words"]] == pytest.approx(expected.probabilities, abs=1e-5)
            entities = kind.to_json(expected, task, {})["entities"]
            assert [(one["type"], one["start"], one["end"]) for one in answer["entities"]] == [
                (one["type"], one["start"], one["end"]) for one in entities
            ]


def test_answers_stand_where_python_finds_them(ask, content, heads_export, monkeypatch):
    kind, model, _ = encoded(content, "answers", "")
    segmenter = LibrarySegmenter(Tokenizer.from_file(str(heads_export / "answers/tokenizer.json")))
    task = task_of_config({"architectures": ["BertForQuestionAnswering"]})
    assert model["threshold"] == HEADS["answers"][2]["no_answer_threshold"]
    monkeypatch.setitem(model, "threshold", 0.5)  # answers some of the questions below
    settings = {"no_answer_threshold": 0.5}
    found = []
    questions = ["was the film good?", "where is the dog?", "the dog " * 200]
    passages = [text for text in TEXTS if text] + ["the film was good and the dog was by the river", "river dog film"]
    for question in questions:
        rows, answers = (ask(action, "answers", passages, pair=question) for action in ("values", "extract"))
        for passage, row, answer in zip(passages, rows, answers, strict=True):
            one = Input(passage, question)
            [windows] = kind.encode(segmenter, [one], task, model["limit"], places=True)
            assert row["ids"] == windows[0].input_ids
            logits = np.array(row["values"]).reshape(-1, 2)
            [expected] = kind.answers([[logits]], [windows[:1]], [one], task, settings)
            assert (None if answer["start"] < 0 else to_text(passage, answer["start"], answer["end"])) == expected.text
            assert answer["probability"] == pytest.approx(expected.score, abs=1e-5)
            assert answer["cut"] == (len(windows) > 1 or question == questions[-1])
            found.append(expected.text is not None)
    assert set(found) == {True, False}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["file", "folder"])
def test_the_page_shows_all_kinds(browser, axe, request, content, tmp_path, form):
    tab = Chromium(browser, tmp_path / "profile")
    site = None
    try:
        if form == "file":
            (tmp_path / "page.html").write_text(render(content, "Kinds"))
            url = (tmp_path / "page.html").as_uri()
        else:
            write_folder(tmp_path / "site", render_folder(content, request.getfixturevalue("wasm_runtime"), "Kinds"))
            site = Site(tmp_path / "site")
            url = site.url
        for width, scheme in SIZES:
            tab.show(url, width, scheme=scheme)
            assert tab.wait_for("document.documentElement.dataset.ready") == "true", tab.run("document.body.innerText.slice(0, 500)")
            assert not tab.run("document.getElementById('classify-pair').hidden")  # entailment, the first task, reads pairs
            tab.run(
                "const choice = document.getElementById('classify-task'); choice.value = 'topics'; choice.dispatchEvent(new Event('input'))"
            )
            tab.wait_for("document.querySelectorAll('#classify-bars li').length === 3")
            assert tab.run("document.getElementById('classify-pair').hidden")
            tab.run("choice.value = 'rating'; choice.dispatchEvent(new Event('input'))")
            tab.wait_for("document.getElementById('classify-bars').hidden")
            float(tab.run("document.getElementById('classify-answer').textContent"))
            tab.fill("tags-text", "the film was good")
            tab.wait_for(
                "document.getElementById('tags-words').textContent.startsWith('the') && document.getElementById('tags-note').textContent"
            )
            tab.fill("span-question", "was the film good?")
            tab.fill("span-passage", "the film was good")
            tab.wait_for("document.getElementById('span-words').textContent === 'the film was good'")
            assert tab.problems(axe) == []
            assert tab.run("document.documentElement.scrollWidth - innerWidth") <= 0
        tab.picture(tmp_path / "kinds.png")
        assert [one for one in tab.events if one["method"] == "Runtime.exceptionThrown"] == []
    finally:
        tab.close()
        if site:
            site.stop()
