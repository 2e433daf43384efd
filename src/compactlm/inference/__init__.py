"""The finished model in use and its ONNX form."""
