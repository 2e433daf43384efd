"""Check the losses against the teacher before anything is computed: its shape is known only once it is loaded."""

from __future__ import annotations

from typing import Any

from compactlm.params import Params
from compactlm.shapes import layers
from compactlm.shapes.layers import Shape, kept_layers


def check_losses(params: Params, teacher: Any) -> None:
    """Check the losses of both phases against the shape of the teacher.

    Args:
        params: all of params.yaml.
        teacher: the configuration of the teacher (BertConfig), whose shape is that of every task's teacher.

    Raises:
        CompactLMError: a loss has no layer to learn from, or its heads do not fit the two models.
    """
    student = Shape(params.student.layers, params.student.hidden_size, params.student.attention_heads)
    kept = kept_layers(params.signals.layers, teacher.num_hidden_layers)
    for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
        layers.check_losses(f"distill.{phase}", losses, student, Shape.of(teacher), kept)
