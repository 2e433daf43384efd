"""The graphs of the heads of all kinds of task agree with transformers, in fp32 and closely in int8."""

import numpy as np
import onnx
import pytest
import torch
import transformers

from compactlm.artifacts import read_json
from compactlm.export.directory import output_names
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.onnx_session import INPUTS, open_session
from tests.export.test_directory import random_feeds
from tests.fixtures.heads import HEADS


def load(root, name):
    return getattr(transformers, HEADS[name][0]).from_pretrained(root / name).eval()


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize(("rows", "length"), [(1, 2), (1, 64), (5, 9)])
def test_each_head_agrees_with_transformers_for_any_rows_tokens_and_types(heads_root, heads_export, name, rows, length):
    model, feeds = load(heads_root, name), random_feeds(rows, length)
    names = output_names(model)
    with torch.inference_mode():
        expected = model(**feeds)
    found = {
        file: open_session(heads_export / name / file, 1).run(names, {k: v.numpy() for k, v in feeds.items()})
        for file in (FLOAT_FILE, INT8_FILE)
    }
    real = feeds["attention_mask"].numpy().astype(bool)
    for at, output in enumerate(names):
        wanted = expected[output].numpy()
        assert found[FLOAT_FILE][at].shape == wanted.shape
        where = real if wanted.shape[:2] == real.shape else slice(None)
        np.testing.assert_allclose(found[FLOAT_FILE][at][where], wanted[where], atol=1e-4)
        assert np.abs(found[INT8_FILE][at][where] - wanted[where]).max() < 0.5
        assert wanted.std() > 0.01 or wanted.size == 1


@pytest.mark.parametrize("name", HEADS)
def test_outputs_have_the_names_that_transformers_js_reads(heads_root, heads_export, name):
    wanted = ["start_logits", "end_logits"] if name == "answers" else ["logits"]
    for file in (FLOAT_FILE, INT8_FILE):
        graph = onnx.load(heads_export / name / file).graph
        assert [value.name for value in graph.output] == wanted
        assert tuple(value.name for value in graph.input) == INPUTS
    before, after = (read_json(root / name / "config.json") for root in (heads_root, heads_export))
    assert after == before
