"""The forward pass and the tokenizer of the page in Node.js, next to ONNX Runtime and the tokenizers library."""

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from tokenizers import Tokenizer

from benchmarks.page.node import run_content, run_engine
from compactlm import CompactLM
from compactlm.serving.browser.building import build
from compactlm.serving.browser.describing import tokenizer_settings
from compactlm.serving.browser.packing import pack

LONG = "the dog " * 300
TEXTS = ["the film was good", "A very GOOD dog, by the river!", "", "naïve [MASK] 東京", LONG]
pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node cannot be found; install Node.js 18 or newer to run the engine in it"
)
NEWEST = 0x600  # characters below this code are old enough for every version of Unicode


@pytest.fixture(scope="module")
def content(export_root):
    return build(export_root)


@pytest.mark.parametrize("name", ["sentiment", "mlm", "embedding"])
def test_weights_are_rounded_by_less_than_a_step(export_root, name):
    proto = onnx.load(export_root / name / "onnx/model.onnx")
    before = {one.name: numpy_helper.to_array(one).copy() for one in proto.graph.initializer}
    packed = pack(proto)
    for tensor in proto.graph.initializer:
        step = np.abs(before[tensor.name]).max() / 127 if before[tensor.name].size else 0
        assert np.abs(numpy_helper.to_array(tensor) - before[tensor.name]).max(initial=0) <= 0.51 * step
    assert {one.values.dtype for one in packed.values() if one.scales is not None} == {np.dtype(np.int8)}
    stored = sum(one.values.size for one in packed.values())
    assert stored == sum(one.size for one in before.values() if one.dtype == np.float32)


def test_engine_gives_the_answers_of_python(content, export_root, tmp_path):
    lm = CompactLM(export_root, backend="onnx", threads=1)
    lm.embedding.truncate = True  # the page does not read a long text in parts
    asked = [{"name": name, "text": text, "position": 1} for name in ("sentiment", "embedding", "mlm") for text in TEXTS]
    found = run_content(content, tmp_path, asked)
    assert found["check"]["largest"] < 1e-4
    for question, row in zip(asked, found["rows"], strict=True):
        name, text = question["name"], question["text"]
        model = lm.embedding.model if name == "embedding" else lm.mlm if name == "mlm" else lm.task(name)
        ids = model.tokenizer.cut(model.tokenizer.encode([text])[0])
        assert row["ids"] == ids
        batch = model.batch([ids])
        where = np.zeros_like(batch.input_ids, dtype=bool)
        where[0, 1] = True
        if name == "embedding":
            expected = lm.embed([text])[0]
        else:
            expected = (model.runner.masked_logits(batch, where) if name == "mlm" else model.runner.task_logits(batch))[0]
        # The weights of the page are rounded to int8, so its answers are near those of fp32, and not equal.
        assert np.abs(np.array(row["values"]) - expected).max() < 0.05 * max(1, np.abs(expected).max())


@pytest.mark.parametrize(
    ("text", "masks", "beyond", "cut"),
    [
        ("the [MASK] was good", 1, 0, False),
        ("the film was good", 0, 0, False),
        (LONG, 0, 0, True),
        (f"{LONG}[MASK]", 0, 1, True),
        (f"[MASK] {LONG}[MASK] [MASK]", 1, 2, True),
        (f"[MASK] {LONG}", 1, 0, True),
    ],
)
def test_fill_counts_the_masks_beyond_the_cut(content, tmp_path, text, masks, beyond, cut):
    [row] = run_content(content, tmp_path, [{"action": "fill", "name": "mlm", "text": text, "count": 2}])["rows"]
    assert (len(row["masks"]), row["beyond"], row["cut"]) == (masks, beyond, cut)


def test_compare_and_search_tell_of_a_truncated_text(content, tmp_path):
    def asked(action, **texts):
        return {"action": action, "name": "embedding", **texts}

    rows = run_content(
        content,
        tmp_path,
        [
            asked("compare", first="the film", second="the dog"),
            asked("compare", first=LONG, second="the dog"),
            asked("compare", first="the film", second=LONG),
            asked("search", query="the film", lines=["the dog", LONG], count=1),
            asked("search", query="the film", lines=["a dog", LONG], count=1),  # the vector of the long line is kept
            asked("search", query="the film", lines=["a dog"], count=1),
            asked("search", query=LONG, lines=["a dog"], count=1),
        ],
    )["rows"]
    assert [row["cut"] for row in rows] == [False, True, True, True, True, False, True]


@pytest.mark.parametrize("part", ["weights", "vocabulary", "values"])
def test_engine_refuses_a_damaged_page(content, tmp_path, part):
    header = json.loads(json.dumps(content.header))
    damaged = dataclasses.replace(content, header=header)
    if part == "weights":
        place = header["models"][0]["tensors"]["encoder.layer.0.output.dense.weight"]["scales"]
        damaged = dataclasses.replace(damaged, weights=content.weights[:place] + b"\0\0\x80\x3f" * 8 + content.weights[place + 32 :])
    elif part == "vocabulary":
        vocabulary = header["tokenizers"][0]["vocabulary"]
        vocabulary[-1], vocabulary[5:-1] = vocabulary[5], [*vocabulary[6:-1], vocabulary[-1]]
    else:
        header["models"][1]["frozen"][0]["values"][0][1] += 0.01
    refused = run_content(damaged, tmp_path)["refused"]
    assert refused.startswith("The model ")


def test_every_character_is_read_as_in_python(export_root):
    settings = tokenizer_settings(export_root / "mlm/tokenizer.json")
    found = run_engine(characters=settings)["characters"]
    library = Tokenizer.from_file(str(export_root / "mlm/tokenizer.json"))
    different = []
    for code in range(0x110000):
        if not 0xD800 <= code <= 0xDFFF:
            words = [word for word, _ in library.pre_tokenizer.pre_tokenize_str(library.normalizer.normalize_str(f"a{chr(code)}b"))]
            if found.get(str(code), ["ab"]) != words:
                different.append(code)
    # The library and the JavaScript engine follow different versions of Unicode, which differ in rare new characters.
    assert [code for code in different if code < NEWEST] == []
    assert len(different) < 1000
