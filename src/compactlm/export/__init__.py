"""The ONNX graph, int8 quantization, and agreement with the original."""
