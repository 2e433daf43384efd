"""The objective that fits a sentence encoder to the teacher's token vectors, and its training rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compactlm.distillation.examples import TaskRows
from compactlm.distillation.signals.online import Batch, SignalSource
from compactlm.student.regression import ridge
from compactlm.student.sentence_student import SentenceStudent

FITTED_ROWS = 4000


class TokenExamples:
    """Texts with the teacher's token vectors."""

    def __init__(self, rows: TaskRows, source: SignalSource) -> None:
        """Take the texts in the student's ids, and the source of the vectors."""
        self.rows, self.source, self.ids, self.lengths = rows, source, rows.ids, rows.lengths

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return input_ids, attention_mask and the token vectors as `target`, float [rows, tokens, width]."""
        batch = self.rows.model_inputs(positions)
        return {**batch, "target": self.source.signals(batch, positions)["teacher_states"][:, :, 0]}


class TokenObjective(torch.nn.Module):
    """The mean squared error between the student's mapped token vectors and the teacher's, relative to the teacher's variance."""

    def __init__(self, student: SentenceStudent, variance: float, word_embeddings: float = 1.0) -> None:
        """Take the student, and the variance of the teacher's token vectors, averaged over dimensions.

        `word_embeddings` is the learning rate of the word embeddings, relative to that of all other weights.
        """
        super().__init__()
        self.student, self.variance = student, variance
        self.learning_rates = {student.bert.embeddings.word_embeddings.weight: word_embeddings}

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, target: torch.Tensor) -> Batch:
        """Return the loss of a batch as `loss`; predicting the mean vector for every token gives 1."""
        real = attention_mask.bool()
        vectors = self.student.dense(self.student.states(input_ids, attention_mask)[real])
        return {"loss": (vectors.float() - target[real]).square().mean() / self.variance}


@torch.no_grad()
def fit_tokens(student: SentenceStudent, examples: TokenExamples) -> float:
    """Fit the student's linear map to the teacher's token vectors by ridge regression; return their mean variance."""
    states, targets = [], []
    device = student.dense.weight.device
    rows = range(0, len(examples.ids), max(1, len(examples.ids) // FITTED_ROWS))
    for start in range(0, len(rows), 64):
        batch = examples.batch(rows[start : start + 64], 0)
        real = batch["attention_mask"].bool()
        found = student.states(batch["input_ids"].to(device), batch["attention_mask"].to(device)).cpu()
        states.append(found[real])
        targets.append(batch["target"].cpu()[real])
    inputs, wanted = torch.cat(states), torch.cat(targets)
    weight, bias = ridge(inputs, wanted)
    student.dense.weight.copy_(weight)
    student.dense.bias.copy_(bias)
    return float(wanted.var(dim=0, correction=0).mean().clamp(min=1e-12))
