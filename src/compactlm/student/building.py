"""The student's configuration and its weights before training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import BertConfig, BertForMaskedLM, BertPreTrainedModel

from compactlm.errors import CompactLMError
from compactlm.params import Student


def build_config(student: Student, vocabulary_size: int) -> BertConfig:
    """Return the plain BERT configuration of this shape. Dropout is set by the training phases."""
    return BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=student.hidden_size,
        num_hidden_layers=student.layers,
        num_attention_heads=student.attention_heads,
        intermediate_size=student.intermediate_size,
        max_position_embeddings=student.maximum_positions,
    )


def principal_components(vectors: torch.Tensor, size: int) -> torch.Tensor:
    """Return the `size` orthonormal directions that keep most of the vectors, float [size, width].

    The vectors are not centred: the map must be linear for the projections to start from it. Where `size` exceeds the
    width, the directions beyond it are 0.
    """
    _, _, directions = torch.linalg.svd(vectors.double(), full_matrices=False)
    found = directions[:size]
    # The sign of a singular vector is arbitrary; fix it, so that every machine starts from the same student.
    signs = torch.sign(found.gather(1, found.abs().argmax(dim=1, keepdim=True)))
    components = torch.zeros(size, vectors.shape[1], dtype=torch.float64)
    components[: len(found)] = found * signs
    return components.float()


def build_student(
    config: BertConfig, teacher: BertPreTrainedModel, teacher_ids: Sequence[int], seed: int
) -> tuple[BertForMaskedLM, torch.Tensor]:
    """Build the student, its embeddings taken from the teacher's by principal components.

    Args:
        config: the student's shape.
        teacher: a model with a `bert` body.
        teacher_ids: the teacher's id of each of the student's ids.
        seed: of the weights that start at random.

    Returns:
        The student, and the components, float [student's hidden size, teacher's hidden size].
    """
    torch.manual_seed(seed)
    student = BertForMaskedLM(config)
    source, target = teacher.bert.embeddings, student.bert.embeddings
    words = source.word_embeddings.weight.detach().float()[torch.tensor(teacher_ids)]
    components = principal_components(words, config.hidden_size)
    with torch.no_grad():
        target.word_embeddings.weight.copy_(words @ components.T)
        positions = min(len(target.position_embeddings.weight), len(source.position_embeddings.weight))
        target.position_embeddings.weight[:positions] = source.position_embeddings.weight[:positions] @ components.T
        target.token_type_embeddings.weight.copy_(source.token_type_embeddings.weight @ components.T)
        target.word_embeddings.weight[config.pad_token_id] = 0
    return student, components


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of parameters, tied ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters())


def check_budget(student_parameters: int, teacher_parameters: int, budget: float) -> None:
    """Raise CompactLMError where the student has more than `budget` of the teacher's parameters."""
    allowed = int(teacher_parameters * budget)
    if student_parameters > allowed:
        raise CompactLMError(
            f"the student has {student_parameters:,} parameters and student.budget allows {allowed:,} ({budget:.0%} of the teacher's "
            f"{teacher_parameters:,}); lower student.vocabulary_size, student.layers or student.hidden_size in params.yaml"
        )
