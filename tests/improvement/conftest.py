import shutil

import pytest


@pytest.fixture(scope="session")
def watched_root(tmp_path_factory, export_root, on_onnx, tiny_texts):
    """A directory like models/export with a reference sample of 144 rows; their labels are the model's answers but for every eighth."""
    from compactlm.improvement.reference import FOLDER, make_reference, write_reference

    root = tmp_path_factory.mktemp("watched") / "export"
    shutil.copytree(export_root, root)
    names = ["negative", "positive"]
    answers = [names.index(one.label) for one in on_onnx.classify_all(tiny_texts)]
    expected = [answer if row % 8 else 1 - answer for row, answer in enumerate(answers)]
    made = make_reference(tiny_texts, expected, on_onnx.embedding, on_onnx.task("sentiment"))
    write_reference(root / FOLDER / "sentiment", *made)
    return root


@pytest.fixture(scope="session")
def watched(watched_root):
    """The tiny student with its reference sample."""
    from compactlm import CompactLM

    return CompactLM(watched_root, backend="onnx", threads=1)
