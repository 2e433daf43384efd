"""Export to ONNX: the graph, int8 quantization, and agreement with the original model."""
