"""Soft targets: the teacher's softened distribution, over all classes or over its likeliest ones."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def soft_targets(student: torch.Tensor, teacher: torch.Tensor, temperature: float, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Kullback-Leibler divergence of softened distributions, times the temperature squared (Hinton et al. 2015).

    Args:
        student: logits, float [rows, classes].
        teacher: logits, float [rows, classes].
        temperature: divides both logits; its square keeps the gradient's size.
        weights: float [rows], or None for 1.

    Returns:
        The mean over rows in nats, a scalar; 0 where there is none.
    """
    log_student = functional.log_softmax(student.float() / temperature, dim=-1)
    log_teacher = functional.log_softmax(teacher.detach().float() / temperature, dim=-1)
    divergence = functional.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=-1)
    if weights is not None:
        divergence = divergence * weights
    return divergence.sum() / max(len(divergence), 1) * temperature**2


def soft_targets_of_top(
    student: torch.Tensor,
    teacher_values: torch.Tensor,
    teacher_indices: torch.Tensor,
    teacher_log_rest: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """Soft targets from the teacher's k likeliest tokens, and one bin for the mass of all other tokens together.

    Both softened distributions are reduced to the same k + 1 bins before the divergence (Hinton et al. 2015) is taken. It is thus
    at most that of `soft_targets` (the data-processing inequality), and equal where k is the whole vocabulary. The student learns
    how much mass the other tokens have, but not how the teacher spreads it over them.

    Args:
        student: logits, float [positions, vocabulary].
        teacher_values: the teacher's k largest logits, not yet divided by the temperature, float [positions, k].
        teacher_indices: the tokens that they are of, int64 [positions, k], each at most once a position.
        teacher_log_rest: the other tokens' logits, summed as logsumexp(logits / temperature) over the tokens that are not in
            `teacher_indices`, float [positions]: -inf where there is no other. It holds for this temperature alone.
        temperature: divides the student's logits and `teacher_values`; its square keeps the gradient's size.

    Returns:
        The mean over positions in nats, a scalar; 0 where there is none.
    """
    loss: torch.Tensor = _TopDivergence.apply(student, teacher_values, teacher_indices, teacher_log_rest, temperature)
    return loss * temperature**2


class _TopDivergence(torch.autograd.Function):
    """The divergence over k + 1 bins, and its slope, in few passes over the vocabulary.

    The logits of a vocabulary are most of what a compact model moves through memory, and autograd would keep and revisit several copies.
    """

    @staticmethod
    def forward(
        ctx: Any, student: torch.Tensor, values: torch.Tensor, indices: torch.Tensor, log_rest: torch.Tensor, temperature: float
    ) -> torch.Tensor:
        scaled = student.float() / temperature
        top = scaled.gather(-1, indices)
        # The least float stands for -inf where no token is left over: it has no mass either, but 0 times a difference of it is 0, not nan.
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
        masses, ctx.masses = ctx.masses, None  # changed in place, so that there is no second time
        bins = bins * slope
        gradient = masses.mul_(bins[:, -1:] / mass).scatter_(-1, indices, bins[:, :-1])
        return gradient.to(ctx.dtype), None, None, None, None
