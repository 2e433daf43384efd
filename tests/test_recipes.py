"""The recipes for sentence embeddings in README.md and docs give the vectors of the product. They are run as they are printed."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from transformers import BertModel

from compactlm import CompactLM
from compactlm.export.directory import write_directory
from tests.fixtures.encoders import make_dense, make_encoder
from tests.node.javascript import installed

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/using-the-model.md")


def recipes(language, word):
    """Return the code blocks of a language that contain a word."""
    blocks = [block for page in PAGES for block in re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)]
    return [block for block in blocks if word in block]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, tiny_bert):
    """A directory with the models of a run whose student is a sentence encoder."""
    root = tmp_path_factory.mktemp("workspace")
    source = make_encoder(tiny_bert, root / "models/student/embedding", dense=(make_dense(32, 24),), maximum_length=40)
    write_directory(BertModel.from_pretrained(source, add_pooling_layer=False).eval(), source, root / "models/export/embedding", 18)
    return root


def check(workspace, code, vectors):
    texts = json.loads(re.search(r"\[\"i am .*?\]", code).group())
    expected = CompactLM(workspace / "models/student", backend="torch").embed(texts)
    assert expected.shape == (len(texts), 24)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


@pytest.mark.parametrize("code", recipes("python", "SentenceTransformer("))
def test_sentence_transformers(workspace, monkeypatch, code):
    pytest.importorskip("sentence_transformers")
    monkeypatch.chdir(workspace)
    names = {}
    exec(code, names)  # noqa: S102 - our own documentation
    check(workspace, code, names["vectors"])


@pytest.mark.parametrize("code", recipes("python", "InferenceSession("))
def test_onnx_runtime(workspace, monkeypatch, code):
    monkeypatch.chdir(workspace)
    names = {}
    exec(code, names)  # noqa: S102 - our own documentation
    check(workspace, code, names["vectors"])


@pytest.mark.slow
@pytest.mark.parametrize("code", recipes("js", "feature-extraction"))
def test_transformers_js(workspace, code):
    code = code.replace('"models/export"', json.dumps(str(workspace / "models/export")))  # Node finds packages next to the program
    done = subprocess.run(
        ["node", "--input-type=module"], cwd=installed(), input=code, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    check(workspace, code, json.loads(done.stdout.splitlines()[-1]))


def test_every_recipe_is_found():
    assert len(recipes("python", "SentenceTransformer(")) == 2
    assert len(recipes("python", "InferenceSession(")) == len(recipes("js", "feature-extraction")) == 1
