"""The losses of distillation, one file each. They are computed in float32, and the teacher gets no gradient."""
