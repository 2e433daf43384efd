import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from transformers import BertForMaskedLM

from compactlm.export.directory import export_onnx
from compactlm.export.quantization import LARGE, quantize
from compactlm.inference.runtime.directories import INT8_FILE
from tests.export.test_directory import random_feeds, run
from tests.fixtures.builders import make_config


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Paths of a masked language model in fp32 and int8 whose embeddings are large enough to be quantized."""
    config = make_config(vocab_size=2100, hidden_size=32, intermediate_size=64, initializer_range=0.2)
    assert config.vocab_size * config.hidden_size >= LARGE
    directory = tmp_path_factory.mktemp("wide")
    paths = directory / "fp32.onnx", directory / "int8.onnx"
    export_onnx(BertForMaskedLM(config), paths[0], 18)
    quantize(*paths)
    return paths


def tensors(path):
    return {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}


def test_embeddings_and_head_are_stored_once(wide):
    for path, kind in zip(wide, (TensorProto.FLOAT, TensorProto.INT8), strict=True):
        large = [tensor for tensor in tensors(path).values() if np.prod(tensor.dims) >= LARGE]
        assert [tuple(tensor.dims) for tensor in large] == [(2100, 32)]
        assert large[0].data_type == kind
    parameters = 2100 * 33 + 2 * 32 + 512 * 32 + 8 * 32 * 32
    assert wide[0].stat().st_size < 4 * parameters + 30_000
    assert wide[1].stat().st_size < 2100 * (32 + 4 + 4) + 4 * 514 * 32 + 8 * 32 * 32 + 30_000


def test_int8_is_close_to_fp32(wide):
    feeds = random_feeds(4, 40)
    expected, found = (run(path, feeds) for path in wide)
    real = feeds["attention_mask"].numpy().astype(bool)
    assert 0 < np.abs(found - expected)[real].mean() < 0.05 * expected[real].std()


def test_no_sum_of_two_products_overflows_16_bits(export_root, wide):
    # Processors without VNNI add two products of an unsigned byte, the activation, and a signed one, the weight, in 16 bits.
    for path in (wide[1], *(export_root / name / INT8_FILE for name in ("mlm", "sentiment", "embedding"))):
        proto, weights = onnx.load(path), tensors(path)
        made = {node.output[0]: node.input[0] for node in proto.graph.node if node.op_type == "Transpose"}
        read = [node.input[1] for node in proto.graph.node if node.op_type in ("MatMulInteger", "QAttention")]
        assert len(read) >= 4
        for name in read:
            matrix = numpy_helper.to_array(weights[made.get(name, name)])
            assert matrix.dtype == np.int8
            assert np.abs(matrix.astype(int)).max() >= 32
            assert 2 * 255 * np.abs(matrix.astype(int)).max() < 2**15


def test_every_product_with_weights_is_in_int8(export_root):
    for name in ("mlm", "sentiment", "embedding"):
        operators = [node.op_type for node in onnx.load(export_root / name / INT8_FILE).graph.node]
        assert not {"MatMul", "Gemm", "Attention"} & set(operators)
        assert operators.count("QAttention") == (1 if name == "sentiment" else 2)


def test_weights_have_one_scale_per_column(wide):
    scales = [numpy_helper.to_array(tensor) for name, tensor in tensors(wide[1]).items() if name.endswith("_scale")]
    assert all(scale.size in (32, 64, 96, 2100) for scale in scales if scale.size > 1)
    assert sum(scale.size > 1 for scale in scales) >= 5
