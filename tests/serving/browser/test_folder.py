"""The page as a folder, in Chromium: the answers of Python, connections to the own server only, and no network the second time."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from benchmarks.page.chromium import SIZES, Chromium
from benchmarks.page.sites import Site
from compactlm import CompactLM
from compactlm.serving.browser.building import build
from compactlm.serving.browser.folder import HEADER, PAGE, SERVICE_WORKER, render_folder
from compactlm.serving.browser.wasm_runtime import BINARY, SCRIPT
from compactlm.serving.browser.writing import write_folder

CARD = "# The card\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
READY = "document.documentElement.dataset.ready"
NO_RUNTIME = {SCRIPT: b"script", BINARY: b"binary"}


@pytest.fixture(scope="module")
def content(export_root):
    return build(export_root)


@pytest.fixture(scope="module")
def folder(content, wasm_runtime, tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "page"
    write_folder(path, render_folder(content, wasm_runtime, "Tiny <models>", CARD))
    return path


@pytest.fixture
def serve():
    sites = []

    def run(folder):
        sites.append(Site(folder))
        return sites[-1]

    yield run
    for site in sites:
        site.stop()


@pytest.fixture
def tab(browser, tmp_path):
    tab = Chromium(browser, tmp_path / "profile")
    yield tab
    tab.close()


def text_of(tab, place):
    return tab.run(f"document.getElementById('{place}').textContent")


def classify(tab, text):
    """Type a text; return the label and its probability when the words are marked."""
    tab.fill("classify-text", text)
    tab.wait_for(f"document.getElementById('classify-words').textContent === {text!r}")
    label, _, shown = text_of(tab, "classify-answer").partition(", ")
    return label, float(shown.removesuffix(" %")) / 100


@pytest.mark.slow
def test_answers_are_those_of_python(tab, folder, serve, export_root):
    lm = CompactLM(export_root, backend="onnx", threads=1)
    site = serve(folder)
    tab.show(site.url)
    assert tab.wait_for(READY) == "true", text_of(tab, "state")
    for text in ("the film was good", "the dog was by the river"):
        label, probability = classify(tab, text)
        assert probability == pytest.approx(lm.classify(text, "sentiment").probabilities[label], abs=0.02)
    tab.fill("compare-first", "a good film")
    tab.fill("compare-second", "a good film")
    tab.wait_for("document.getElementById('compare-answer').textContent === 'Similarity 1.000'")
    tab.fill("search-lines", "the dog was by the river\nthe film was good\n")
    tab.fill("search-query", "the film was good")
    tab.wait_for("document.querySelector('#search-found li')?.textContent === '1.00the film was good'")
    tab.fill("fill-text", "the [MASK] was [MASK]")
    tab.wait_for("document.querySelectorAll('#fill-masks ul').length === 2")
    assert text_of(tab, "fill-answer") == ", ".join(found[0].piece for found in lm.fill("the [MASK] was [MASK]"))
    tab.run("document.getElementById('speed-start').click()")
    tab.wait_for("document.getElementById('speed-state').textContent === 'Measured.'")
    assert [one for one in tab.events if one["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []


@pytest.mark.slow
def test_the_second_time_it_needs_no_network(tab, folder, serve):
    site = serve(folder)
    tab.show(site.url)
    assert tab.wait_for(READY) == "true", text_of(tab, "state")
    tab.wait_for("document.getElementById('offline').textContent")
    first = classify(tab, "the film was good")
    asked = sorted(set(site.asked))
    site.stop()
    for url in (site.url, f"{site.url}index.html?a=b"):
        tab.show("about:blank")
        tab.show(url)
        assert tab.wait_for(READY) == "true", text_of(tab, "state")
        assert classify(tab, "the film was good") == first
    assert sorted(set(site.asked)) == asked


@pytest.mark.slow
def test_neither_page_nor_worker_may_send_anything_elsewhere(tab, folder, serve):
    site, other = serve(folder), serve(folder)
    tab.send("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
    tab.show(site.url)
    assert tab.wait_for(READY) == "true", text_of(tab, "state")
    sessions = [one["params"] for one in tab.events if one["method"] == "Target.attachedToTarget"]
    [worker] = [one["sessionId"] for one in sessions if one["targetInfo"]["type"] == "worker"]
    for session in (tab.session, worker):
        for attempt in (f"fetch('{other.url}')", "fetch('https://example.org/')", "fetch('data:,x')"):
            assert tab.run(f"{attempt}.then(() => 'sent', () => 'forbidden')", session) == "forbidden"
        assert tab.run(f"fetch('{site.url}{HEADER}').then(() => 'sent', () => 'forbidden')", session) == "sent"
    assert other.asked == []
    assert {path.partition("?")[0] for path in site.asked} <= {"/", "/favicon.ico", *(f"/{name}" for name in files_of(folder))}


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["values", "missing", "disk"])
def test_a_page_that_cannot_work_says_so(tab, folder, content, wasm_runtime, serve, tmp_path, part):
    files = render_folder(content, wasm_runtime, "Damaged")
    header = json.loads(files[HEADER])
    if part == "values":
        header["models"][0]["frozen"][0]["values"][0][1] += 0.01
        files[HEADER] = json.dumps(header).encode()
    elif part == "missing":
        del files[header["models"][0]["file"]["path"]]
    write_folder(tmp_path / "page", files)
    if part == "disk":
        tab.show((tmp_path / "page" / PAGE).as_uri())
        assert "needs JavaScript and a web server" in text_of(tab, "state") or tab.wait_for(READY) == "false"
        return
    tab.show(serve(tmp_path / "page").url)
    assert tab.wait_for(READY) == "false"
    sentence = text_of(tab, "state")
    assert sentence.startswith("The page does not work in this browser. The ")
    assert {"values": " computes ", "missing": "cannot be loaded (status 404)"}[part] in sentence
    assert tab.run("document.getElementById('classify').hidden")


@pytest.mark.slow
def test_a_changed_folder_is_loaded_again(tab, folder, content, wasm_runtime, serve, tmp_path):
    write_folder(tmp_path / "page", render_folder(content, wasm_runtime, "Before"))
    site = serve(tmp_path / "page")
    tab.show(site.url)
    tab.wait_for("document.getElementById('offline').textContent")
    write_folder(tmp_path / "page", render_folder(content, wasm_runtime, "After"))
    tab.show(site.url)
    tab.wait_for(READY)
    assert tab.run("document.querySelector('h1').textContent") == "Before"
    tab.wait_for("navigator.serviceWorker.getRegistration().then((found) => found.update()).then((found) => found.waiting !== null)")
    tab.show("about:blank")  # the new version takes over when no tab shows the old one
    tab.show(site.url)
    tab.wait_for(READY)
    assert tab.run("document.querySelector('h1').textContent") == "After"
    assert tab.run("caches.keys().then((names) => names.length)") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_no_problem(tab, folder, serve, axe, width, scheme):
    tab.show(serve(folder).url, width, scheme=scheme)
    tab.wait_for("document.getElementById('offline').textContent")
    tab.wait_for("document.getElementById('classify-spoken').textContent")
    tab.run("document.querySelector('details').open = true")
    assert tab.problems(axe) == []
    assert tab.run("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("name", ["sentiment", "mlm", "embedding"])
def test_graphs_have_the_frozen_values(content, name):
    [model] = [one for one in content.header["models"] if one["name"] == name]
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(content.graphs[name], options, providers=["CPUExecutionProvider"])
    for row in model["frozen"]:
        ids = np.array([row["ids"]])
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        if name == "mlm":
            feeds["position"] = np.array([row["position"]])
        found = session.run(None, feeds)[0][0]
        if name == "embedding":
            continue  # the page pools; the tests in the browser compare its vectors
        values = found[0] if name == "mlm" else found
        assert [values[at] for at, _ in row["values"]] == pytest.approx([value for _, value in row["values"]], abs=2e-5)


def test_graphs_take_a_quarter_of_fp32(content, export_root):
    proto = onnx.load(export_root / "sentiment/onnx/model.onnx")
    assert proto.ByteSize() / 4.5 < len(content.graphs["sentiment"]) < proto.ByteSize() / 2
    assert proto == onnx.load(export_root / "sentiment/onnx/model.onnx")


def test_the_service_worker_lists_all_files_and_changes_with_them(content):
    first, same = (render_folder(content, NO_RUNTIME, "A") for _ in range(2))
    other = render_folder(content, NO_RUNTIME, "B")
    assert first == same
    assert first[SERVICE_WORKER] != other[SERVICE_WORKER]
    listed = json.loads(first[SERVICE_WORKER].decode().partition("const FILES = ")[2].partition(";")[0])
    assert set(listed) == {"./", *first} - {PAGE, SERVICE_WORKER}
