"""The exported models of the smoke preset are small, checked, and give the same results in Node as in Python."""

import pytest

from compactlm.artifacts import read_documents, read_json
from tests.node.javascript import compare_with_python

pytestmark = pytest.mark.pipeline


def test_metrics_show_the_cost_of_int8(smoke):
    metrics = read_json(smoke.path("reports/metrics/export.json"))
    assert set(metrics) == {"mlm", "embedding", "sentiment"}
    for name, found in metrics.items():
        assert found["fp32"]["greatest_difference"] <= 1e-4
        for form, file in (("fp32", "model.onnx"), ("int8", "model_quantized.onnx")):
            assert found[form]["bytes"] == smoke.path("models/export", name, "onnx", file).stat().st_size
        assert found["int8"]["bytes"] < 0.4 * found["fp32"]["bytes"]
    # A student that was trained for seconds is unsure about many of the 60 rows.
    assert metrics["sentiment"]["int8"]["agreement"]["value"] > 0.8
    assert metrics["mlm"]["int8"]["agreement"]["value"] > 0.6
    assert metrics["embedding"]["int8"]["least_cosine"]["value"] > 0.9


@pytest.mark.parametrize("dtype", ["fp32", "q8"])
def test_node_and_python_agree_on_test_rows(smoke, dtype):
    texts = [row.text for row in read_documents(smoke.path("data/split/test")) if row.task == "sentiment"][:100]
    assert len(texts) > 50
    compare_with_python(smoke.path("models/export"), "sentiment", dtype, texts)
    compare_with_python(smoke.path("models/export"), "mlm", dtype, [f"{text} it was [MASK] ." for text in texts])
