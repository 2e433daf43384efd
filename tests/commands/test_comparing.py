import json

import numpy as np
import pytest


def test_embed_writes_one_vector_per_line(cli, on_onnx):
    lines = ["good", "", "b\ufffdd"]
    status, output, errors = cli("embed", "-", given=b"good\n\nb\xffd\n")
    assert status == 0
    found = np.array([[float(value) for value in row.split()] for row in output.splitlines()])
    np.testing.assert_allclose(found, on_onnx.embed(lines), atol=1e-5)
    assert "U+FFFD in 1 lines" in errors
    assert json.loads(cli("embed", "good", "--json")[1]) == pytest.approx(on_onnx.embed(["good"])[0].tolist(), abs=1e-6)


def test_compare(cli, on_onnx):
    expected = on_onnx.compare("good", "bad")
    assert json.loads(cli("compare", "good", "bad", "--json")[1])["distance"] == pytest.approx(expected.distance, abs=1e-5)
    assert cli("compare", "good", "bad")[1].splitlines()[0] == f"similarity {expected.similarity:6.3f}"


def test_similar(cli, tmp_path):
    status, output, _ = cli("similar", "good", "--top", "4")
    assert status == 0
    assert len(output.splitlines()) == 4
    path = tmp_path / "lines.txt"
    path.write_text("old dog\nbad film\n")
    assert json.loads(cli("similar", "old dogs", "--file", path, "--json", "--top", "1")[1])[0]["text"] == "old dog"
    assert cli("similar", "good", "--file", tmp_path / "none")[0] == 1
