"""Set a student's first weights: copied from the teacher, fitted to the teacher, only the projected embeddings, or random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification, BertPreTrainedModel

from compactlm.bert.task_models import head_of
from compactlm.errors import CompactLMError
from compactlm.student.building import principal_components
from compactlm.student.copying import can_be_copied, copy_body, copy_mlm_head
from compactlm.student.inheriting import inherit, project_embeddings
from compactlm.student.regression import fit_layer_norm, ridge
from compactlm.student.teacher_trace import last_states

LINEAR = 3.0  # GELU is nearly the identity at this input


def initialise(
    student: Any,
    teacher: BertPreTrainedModel,
    teacher_ids: Sequence[int],
    kind: str,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    layers: Sequence[int],
    has_head: bool = True,
) -> torch.Tensor:
    """Set a student's first weights. Return the components, from which the projections of the losses start.

    Both models have the same kind of head and are put into eval mode. `kind` is student.initialisation in params.yaml: "inherited",
    "embeddings" or "random". If `has_head` is False, the teacher's head is random, so only the body is set. See `inherit` for the other
    arguments and the result.

    Raises:
        CompactLMError: the student is wider than the teacher.
    """
    student.eval()
    teacher.eval()
    size, width = student.config.hidden_size, teacher.config.hidden_size
    if kind == "inherited" and size > width:
        raise CompactLMError(
            f"student.hidden_size {size} exceeds the teacher's {width}, so weights cannot be inherited; "
            "lower it, or set student.initialisation to embeddings in params.yaml"
        )
    if kind == "inherited":
        copied = can_be_copied(student.bert, teacher.bert)
        if copied:
            components = copy_body(student.bert, teacher.bert, teacher_ids, layers)
        else:
            components = inherit(student.bert, teacher.bert, teacher_ids, input_ids, attention_mask, layers)
        if not has_head:
            return components
        if not isinstance(student, BertForMaskedLM):
            inherit_head(student, teacher, components)
        elif copied and _is_tied(teacher):
            copy_mlm_head(student, teacher, teacher_ids)
        else:
            inherit_mlm_head(student, teacher, teacher_ids, input_ids, attention_mask)
        return components
    ids = torch.tensor(teacher_ids)
    components = principal_components(teacher.bert.embeddings.word_embeddings.weight.detach().float()[ids], size)
    if kind == "embeddings":
        project_embeddings(student.bert, teacher.bert, ids, components)
    return components


def _is_tied(model: Any) -> bool:
    return torch.equal(model.cls.predictions.decoder.weight, model.bert.embeddings.word_embeddings.weight)


@torch.no_grad()
def inherit_mlm_head(
    student: BertForMaskedLM, teacher: BertForMaskedLM, teacher_ids: Sequence[int], input_ids: torch.Tensor, attention_mask: torch.Tensor
) -> None:
    """Fit the head of a student with an inherited body to the teacher's logits over the student's tokens.

    The student's decoder is tied to its word embeddings, which do not change. See `inherit` for the arguments; the text is masked.
    """
    ids = torch.tensor(teacher_ids)
    states = last_states(student.bert, input_ids, attention_mask)
    theirs = last_states(teacher.bert, ids[input_ids], attention_mask)
    decoder = teacher.cls.predictions.decoder
    student.cls.predictions.bias.copy_(decoder.bias[ids])
    # Find the features whose logits, by the student's embeddings, are closest to the teacher's.
    embeddings = student.bert.embeddings.word_embeddings.weight.double()
    solver = torch.linalg.pinv(embeddings) @ decoder.weight[ids].double()
    features = teacher.cls.predictions.transform(theirs) @ solver.T.float()
    transform = student.cls.predictions.transform
    weight, bias = ridge(states, (features - features.mean(dim=0)) / features.std(dim=0, correction=0).clamp(min=1e-6) + LINEAR)
    transform.dense.weight.copy_(weight)
    transform.dense.bias.copy_(bias)
    fit_layer_norm(transform.LayerNorm, torch.nn.functional.gelu(transform.dense(states)), features)


@torch.no_grad()
def start_mlm_head(student: BertForMaskedLM, counts: Mapping[int, float]) -> None:
    """Make a head with random weights predict the frequencies of the tokens: the bias of each token is the log of its frequency.

    `counts` says how often each of the student's ids occurs in the text; one is added to each count.
    """
    bias = student.cls.predictions.bias
    frequencies = torch.ones(len(bias), dtype=torch.float64)
    for token, count in counts.items():
        frequencies[token] += count
    bias.copy_((frequencies / frequencies.sum()).log())


@torch.no_grad()
def inherit_head(student: Any, teacher: Any, components: torch.Tensor) -> None:
    """Set the head of a task, and its pooler if there is one, to the teacher's weights, projected onto the components."""
    if isinstance(student, BertForSequenceClassification):
        student.bert.pooler.dense.weight.copy_(components @ teacher.bert.pooler.dense.weight @ components.T)
        student.bert.pooler.dense.bias.copy_(components @ teacher.bert.pooler.dense.bias)
    head_of(student).weight.copy_(head_of(teacher).weight @ components.T)
    head_of(student).bias.copy_(head_of(teacher).bias)
