"""Which of the teacher's layers teaches which of the student's. Layer 0 is the embeddings; layer n is the output of the nth layer."""

from __future__ import annotations

from collections.abc import Sequence

from compactlm.errors import CompactLMError

LayerPairs = list[tuple[int, int]]  # the student's layer, then the teacher's


def layer_map(kind: str | Sequence[Sequence[int]], student_layers: int, teacher_layers: int) -> LayerPairs:
    """Return the pairs of a student's and a teacher's layer, the student's in increasing order.

    Args:
        kind: "uniform" spreads the teacher's layers evenly; "last" takes as many of its last layers as the student has, and the
            embeddings for the embeddings; or the pairs themselves, as [student's layer, teacher's layer].
        student_layers: the number of the student's layers, embeddings apart.
        teacher_layers: the number of the teacher's.

    Raises:
        CompactLMError: the kind is unknown, "last" is asked of a teacher with fewer layers than the student, or a pair is wrong.
    """
    if not isinstance(kind, str):
        return _check_pairs(kind, student_layers, teacher_layers)
    if kind == "uniform":
        return list(enumerate(uniform_layers(student_layers, teacher_layers)))
    if kind == "last":
        skipped = teacher_layers - student_layers
        if skipped < 0:
            raise CompactLMError(
                f"the layer map 'last' pairs each of the student's {student_layers} layers with one of the teacher's "
                f"{teacher_layers}; give the student no more layers than the teacher, or choose 'uniform'"
            )
        return [(0, 0), *((layer, skipped + layer) for layer in range(1, student_layers + 1))]
    raise CompactLMError(f"the layer map {kind!r} is unknown; choose 'uniform', 'last', or a list of [student layer, teacher layer]")


def uniform_layers(student_layers: int, teacher_layers: int) -> list[int]:
    """Return the teacher's layer for each of the student's, the embeddings (0) first, spread evenly.

    With as many layers the map is the identity; the last layers always correspond.
    """
    return [round(layer * teacher_layers / student_layers + 1e-9) for layer in range(student_layers + 1)]


def _check_pairs(pairs: Sequence[Sequence[int]], student_layers: int, teacher_layers: int) -> LayerPairs:
    if not pairs:
        raise CompactLMError("the layer map has no pair; list at least one [student layer, teacher layer]")
    checked: LayerPairs = []
    for pair in pairs:
        if len(pair) != 2:
            raise CompactLMError(f"the layer map has {list(pair)}; give each pair as [student layer, teacher layer]")
        own, theirs = pair
        for layer, layers, side in ((own, student_layers, "student"), (theirs, teacher_layers, "teacher")):
            if not 0 <= layer <= layers:
                raise CompactLMError(
                    f"the layer map has {list(pair)}, but the {side} has no layer {layer}; choose 0, its embeddings, to {layers}"
                )
        if own in dict(checked):
            raise CompactLMError(f"the layer map has the student's layer {own} twice; keep one of its pairs")
        if checked and own < checked[-1][0]:
            raise CompactLMError(
                f"the layer map has the student's layer {own} after {checked[-1][0]}; list the pairs in the order of its layers"
            )
        checked.append((own, theirs))
    return checked
