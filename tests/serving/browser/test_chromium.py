"""The page in Chromium without a network, opened from disk."""

import pytest

from benchmarks.page.chromium import SIZES, Chromium
from compactlm import CompactLM
from compactlm.serving.browser.building import build
from compactlm.serving.browser.rendering import render

pytestmark = pytest.mark.slow
CARD = "---\nlanguage: en\n---\n# The card\n\n<b>raw</b> text\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```sh\n# a comment\n```\n"
READY = "document.documentElement.dataset.ready"


@pytest.fixture(scope="module")
def content(export_root):
    return build(export_root)


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    tab = Chromium(browser, tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def page(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(content, "Tiny <models>", CARD))
    return path


def text_of(tab, place):
    return tab.run(f"document.getElementById('{place}').textContent")


def test_answers_change_while_typing(tab, page, export_root):
    lm = CompactLM(export_root, backend="onnx", threads=1)
    tab.show(page.as_uri())
    assert tab.wait_for(READY) == "true", text_of(tab, "state")
    for text in ("the film was good", "the dog was by the river"):
        tab.fill("classify-text", text)
        expected = lm.classify(text, "sentiment")
        tab.wait_for(f"document.getElementById('classify-words').textContent === {text!r}")
        label, _, shown = text_of(tab, "classify-answer").partition(", ")
        assert float(shown.removesuffix(" %")) / 100 == pytest.approx(expected.probabilities[label], abs=0.02)
        tab.wait_for("document.getElementById('classify-spoken').textContent")
        assert tab.run("[...document.querySelectorAll('#classify-words mark')].map(one => one.textContent).join(' ')") == text
    tab.fill("compare-first", "a good film")
    tab.fill("compare-second", "a good film")
    tab.wait_for("document.getElementById('compare-answer').textContent === 'Similarity 1.000'")
    tab.fill("search-lines", "the dog was by the river\nthe film was good\n")
    tab.fill("search-query", "the film was good")
    tab.wait_for("document.querySelector('#search-found li')?.textContent === '1.00the film was good'")
    assert tab.run("document.querySelectorAll('#search-found li').length") == 2
    tab.fill("fill-text", "the [MASK] was [MASK]")
    tab.wait_for("document.querySelectorAll('#fill-masks ul').length === 2")
    assert text_of(tab, "fill-answer") == ", ".join(found[0].piece for found in lm.fill("the [MASK] was [MASK]"))
    tab.run("document.getElementById('speed-start').click()")
    tab.wait_for("document.getElementById('speed-state').textContent === 'Measured.'")
    assert tab.run("document.querySelectorAll('#speed-table tbody tr').length") == 6


def test_every_panel_tells_of_a_truncated_text(tab, page):
    long = "the dog " * 300
    notice = "is longer than the model reads"
    says = f"document.getElementById('{{}}').innerText.includes({notice!r})"
    tab.show(page.as_uri())
    tab.wait_for(READY)
    for panel, field in (("classify", "classify-text"), ("compare", "compare-second"), ("search", "search-query"), ("fill", "fill-text")):
        assert not tab.run(says.format(panel))
        tab.fill(field, long)
        tab.wait_for(says.format(panel))
        tab.fill(field, "the film")
        tab.wait_for(f"!{says.format(panel)}")
    tab.fill("search-lines", f"the film\n{long}")
    tab.wait_for(says.format("search"))
    tab.fill("fill-text", "the film")
    tab.wait_for("document.getElementById('fill-answer').textContent === 'Write [MASK] in place of a word.'")
    tab.fill("fill-text", f"{long}[MASK]")
    tab.wait_for("document.getElementById('fill-answer').textContent === 'The text was cut before its [MASK].'")
    tab.wait_for(says.format("fill"))
    tab.fill("fill-text", f"[MASK] {long}[MASK]")
    tab.wait_for("document.querySelectorAll('#fill-masks ul').length === 1")
    assert "1 [MASK] is beyond the cut." in text_of(tab, "fill-note")
    assert tab.run(says.format("fill"))


def test_an_empty_field_has_no_answer(tab, page):
    tab.show(page.as_uri())
    tab.wait_for(READY)
    for field in ("compare-first", "compare-second"):
        tab.wait_for("document.getElementById('compare-answer').textContent.startsWith('Similarity')")
        tab.fill(field, " ")
        tab.wait_for("document.getElementById('compare-answer').textContent === ''")
        assert tab.run("document.getElementById('compare-bar').style.width") == "0%"
        tab.fill(field, "the film")
    for field in ("search-query", "search-lines"):
        tab.wait_for("document.getElementById('search-answer').textContent.startsWith('The nearest')")
        tab.fill(field, " ")
        tab.wait_for("document.getElementById('search-answer').textContent === ''")
        assert tab.run("document.querySelectorAll('#search-found li').length") == 0
        tab.fill(field, "the film")


def test_page_asks_for_nothing_and_may_not(tab, page):
    tab.events.clear()
    tab.show(page.as_uri())
    tab.wait_for(READY)
    asked = [one["params"]["request"]["url"] for one in tab.events if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert [one for one in tab.events if one["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []
    for attempt in ("fetch('https://example.org/')", "fetch('data:,x')"):
        assert tab.run(f"{attempt}.then(() => 'sent', () => 'forbidden')") == "forbidden"
    assert tab.run("document.getElementById('about').querySelector('b') === null")
    assert "<b>raw</b> text" in text_of(tab, "about")
    assert "# a comment" in text_of(tab, "about")


def test_a_page_with_other_values_refuses_with_a_sentence(tab, content, tmp_path):
    row = content.header["models"][0]["frozen"][0]["values"][0]
    right = row[1]
    try:
        row[1] = right + 0.01
        (tmp_path / "damaged.html").write_text(render(content, "Damaged"))
    finally:
        row[1] = right
    tab.show((tmp_path / "damaged.html").as_uri())
    assert tab.wait_for(READY) == "false"
    assert text_of(tab, "state").startswith("The page does not work in this browser. The model ")
    assert tab.run("document.getElementById('classify').hidden")


def test_a_threshold_is_named(tab, content, tmp_path):
    task = next(model for model in content.header["models"] if model["kind"] == "task")
    before = task["threshold"]
    try:
        task["threshold"] = 0.0001
        (tmp_path / "threshold.html").write_text(render(content, "Threshold"))
    finally:
        task["threshold"] = before
    tab.show((tmp_path / "threshold.html").as_uri())
    tab.wait_for(READY)
    second = task["labels"][1]
    assert text_of(tab, "classify-answer").startswith(f"{second}, ")
    assert f"The answer is {second} from a probability of 0.0 % on." in text_of(tab, "classify-note")


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_no_problem(tab, page, axe, width, scheme):
    tab.show(page.as_uri(), width, scheme=scheme)
    tab.wait_for(READY)
    tab.wait_for("document.getElementById('classify-spoken').textContent")
    tab.run("document.querySelector('details').open = true")
    assert tab.problems(axe) == []
    assert tab.run("document.documentElement.scrollWidth - innerWidth") <= 0
