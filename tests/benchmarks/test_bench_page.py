"""Both pages in Chromium next to ONNX Runtime, on a tiny model."""

import sys

import pytest

from benchmarks import bench_page
from compactlm import artifacts
from tests.fixtures.builders import make_row


@pytest.mark.slow
def test_pages_are_compared_with_python(browser, wasm_runtime, export_root, tiny_texts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("benchmarks.page.sites.load_runtime", lambda: wasm_runtime)
    rows = [make_row(at, text, "movie_reviews", "positive") for at, text in enumerate(tiny_texts[:30])]
    artifacts.write_documents(artifacts.SPLIT / "test", rows)
    monkeypatch.setattr(sys, "argv", ["bench_page", "--rows", "26", "--model", str(export_root)])
    bench_page.main()
    found = artifacts.read_json(bench_page.REPORT)
    assert found["rows"] == 26
    assert set(found["models"]) == {"sentiment", "mlm", "embedding"}
    for one in found["models"].values():
        for side in ("file", "folder"):
            assert one[side]["difference"]["rounded"]["greatest_difference"] < 1e-4
            assert one[side]["difference"]["rounded"]["same_first"] == 1
            assert 0 < one[side]["difference"]["fp32"]["greatest_difference"] < 0.05
            assert one[side]["ms"] > 0
    assert found["file"]["bytes"] < found["folder"]["bytes"]
    assert "folder: " in capsys.readouterr().out
