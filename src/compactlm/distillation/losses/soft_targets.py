"""Soft targets of masked words: the teacher's softened distribution over its likeliest tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def soft_targets_of_top(
    student: torch.Tensor,
    teacher_values: torch.Tensor,
    teacher_indices: torch.Tensor,
    teacher_log_rest: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """Return the divergence over the teacher's k likeliest tokens and one bin for all other tokens.

    Both softened distributions are reduced to the same k + 1 bins before the divergence (Hinton et al. 2015). The result is at most the
    divergence over all tokens (data-processing inequality), and equal if k is the whole vocabulary. The student learns the total mass of
    the other tokens, but not how the teacher distributes it.

    Args:
        student: logits, float [positions, vocabulary].
        teacher_values: the teacher's k largest logits, not yet divided by the temperature, float [positions, k].
        teacher_indices: the tokens of these logits, int64 [positions, k], each at most once for a position.
        teacher_log_rest: logsumexp(logits / temperature) over all other tokens, float [positions]; -inf if there are none. It is valid
            for this temperature only.
        temperature: divides the student's logits and `teacher_values`. Its square preserves the size of the gradient.

    Returns:
        The mean over positions in nats, a scalar; 0 without positions.
    """
    loss: torch.Tensor = _TopDivergence.apply(student, teacher_values, teacher_indices, teacher_log_rest, temperature)
    return loss * temperature**2


class _TopDivergence(torch.autograd.Function):
    """The divergence over k + 1 bins and its gradient, in few passes over the vocabulary.

    Vocabulary logits cause most of a compact model's memory traffic, and autograd would keep several copies of them.
    """

    @staticmethod
    def forward(
        ctx: Any, student: torch.Tensor, values: torch.Tensor, indices: torch.Tensor, log_rest: torch.Tensor, temperature: float
    ) -> torch.Tensor:
        scaled = student.float() / temperature
        top = scaled.gather(-1, indices)
        # The least float replaces -inf if no token is left: it has no mass either, but 0 times a difference of it is 0, not nan.
        least = torch.finfo(scaled.dtype).min
        scaled.scatter_(-1, indices, least)
        greatest = scaled.amax(dim=-1, keepdim=True) if scaled.numel() else scaled.new_full((*scaled.shape[:-1], 1), least)
        masses = scaled.sub_(greatest).exp_()
        mass = masses.sum(dim=-1, keepdim=True)
        log_student = functional.log_softmax(torch.cat([top, greatest + mass.log()], dim=-1), dim=-1)
        rest = log_rest.float().clamp(min=least).unsqueeze(-1)
        log_teacher = functional.log_softmax(torch.cat([values.float() / temperature, rest], dim=-1), dim=-1)
        rows = max(len(student), 1)
        ctx.save_for_backward(indices, mass, (log_student.exp() - log_teacher.exp()) / (temperature * rows))
        ctx.masses, ctx.dtype = masses, student.dtype
        return functional.kl_div(log_student, log_teacher, reduction="sum", log_target=True) / rows

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        indices, mass, bins = ctx.saved_tensors
        masses, ctx.masses = ctx.masses, None  # changed in place, so backward can run only once
        bins = bins * slope
        gradient = masses.mul_(bins[:, -1:] / mass).scatter_(-1, indices, bins[:, :-1])
        return gradient.to(ctx.dtype), None, None, None, None
