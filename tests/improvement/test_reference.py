import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from compactlm import CompactLM
from compactlm.errors import CompactLMError
from compactlm.improvement.describing import describe
from compactlm.improvement.reference import ABOUT_FILE, FOLDER, ROWS_FILE, make_reference, read_reference, write_reference


def read(lm):
    return read_reference(lm, "sentiment")


def test_a_sample_is_read_as_it_was_described(watched, tiny_texts):
    found, described = read(watched), describe(tiny_texts, watched.embedding, watched.task("sentiment"))
    assert np.allclose(found.described.vectors, described.vectors, atol=1e-3)  # float16
    for name in ("counts", "probabilities", "answers"):
        assert (getattr(found.described, name) == getattr(described, name)).all()
    assert found.right.mean() == 1 - 18 / 144
    assert found.labels == ("negative", "positive")


def test_a_sample_has_the_words_of_several_rows_alone(watched, tmp_path):
    texts = ["the film was good", "a good film", "good people", "Ada Lovelace hated it"]
    _, about = make_reference(texts, None, watched.embedding, None)
    assert about["words"] == {"good": 3}


def test_a_task_without_labels_has_a_sample_of_its_texts(copied, tiny_texts):
    write_reference(copied.root / FOLDER / "scores", *make_reference(tiny_texts, None, copied.embedding, None))
    found = read_reference(copied, "scores")
    assert (found.labels, found.expected, found.right, len(found.described)) == ((), None, None, 144)


@pytest.fixture
def copied(watched_root, tmp_path):
    """A copy of the exported model that a test may change."""
    shutil.copytree(watched_root, tmp_path / "export")
    return CompactLM(tmp_path / "export", backend="onnx", threads=1)


def test_a_missing_sample_says_how_to_write_one(on_onnx):
    with pytest.raises(CompactLMError, match="has no reference sample; run `dvc repro export`"):
        read(on_onnx)


@pytest.mark.parametrize("damage", ["torn", "short", "nan", "keys", "text"])
def test_a_damaged_sample_is_refused(copied, damage):
    directory = copied.root / FOLDER / "sentiment"
    about = json.loads((directory / ABOUT_FILE).read_text())
    if damage == "torn":
        (directory / ROWS_FILE).write_bytes((directory / ROWS_FILE).read_bytes()[:-7])
    elif damage == "nan":
        tensors = load_file(directory / ROWS_FILE)
        save_file({**tensors, "embedding": np.full_like(tensors["embedding"], np.nan)}, directory / ROWS_FILE)
    elif damage == "short":
        (directory / ABOUT_FILE).write_text(json.dumps({**about, "rows": 7}))
    elif damage == "keys":
        (directory / ABOUT_FILE).write_text(json.dumps({"rows": 144}))
    else:
        (directory / ABOUT_FILE).write_text("{")
    with pytest.raises(CompactLMError, match="sentiment is damaged; restore it with `dvc checkout`"):
        read(copied)


@pytest.mark.parametrize("name", ["probe_embedding", "probe_probabilities"])
def test_a_sample_of_another_model_is_refused(copied, name):
    path = copied.root / FOLDER / "sentiment" / ROWS_FILE
    tensors = load_file(path)
    save_file({**tensors, name: 1 - tensors[name]}, path)
    with pytest.raises(CompactLMError, match="was made by another model"):
        read(copied)
