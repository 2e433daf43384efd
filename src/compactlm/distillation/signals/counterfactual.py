"""Equal soft targets for a row and its counterfactual copies, so that the student does not learn the teacher's bias.

A teacher that was fine-tuned on biased labels gives different logits for a text and its counterfactual copy. Here all rows of a family get
the mean of the teacher's logits (Gupta et al. 2022, https://arxiv.org/abs/2203.12574, who average over role-reversed texts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.distillation.signals.cache import TeacherInputs
from compactlm.distillation.signals.online import Batch, SignalSource


class AveragedSignals:
    """A signal source whose logits are means over families of rows. All other signals are unchanged."""

    def __init__(self, source: SignalSource, logits: torch.Tensor) -> None:
        """Take the source and the mean logits of each row's family, float [rows, labels]; nan keeps the row's own logits."""
        self.source, self.logits = source, logits

    @property
    def layers(self) -> Sequence[int]:
        """The teacher's layers whose hidden states are signals, 0 for the embeddings."""
        return self.source.layers

    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:
        """Return the signals of a batch; see SignalSource."""
        signals = self.source.signals(batch, rows)
        own = signals["teacher_logits"]
        means = self.logits[list(rows)].to(own)
        return {**signals, "teacher_logits": torch.where(means.isnan(), own, means)}


def average_families(source: SignalSource, tokenized: TeacherInputs, parents: Mapping[str, str], batch_tokens: int) -> SignalSource:
    """Return a source that gives a row and all its counterfactual copies the mean of their logits.

    The source runs once on all rows that have copies or are copies. `parents` maps the document id of each counterfactual copy to that of
    its original. Without copies the source is returned unchanged.

    Raises:
        CompactLMError: there is not enough memory.
    """
    families: dict[str, list[int]] = {}
    for row, name in enumerate(tokenized.ids):
        document = name.rpartition(".")[0]
        families.setdefault(parents.get(document, document), []).append(row)
    members = [rows for rows in families.values() if len(rows) > 1]
    chosen = sorted(row for rows in members for row in rows)
    if not chosen:
        return source
    found: dict[int, torch.Tensor] = {}
    for number, positions in enumerate(make_batches([tokenized.lengths[row] for row in chosen], batch_tokens), start=1):
        rows = [chosen[position] for position in positions]
        with memory_errors("counterfactual copies", number, [tokenized.lengths[row] for row in rows], batch_tokens):
            found |= zip(rows, source.signals(tokenized.model_inputs(rows), rows)["teacher_logits"].float().cpu(), strict=True)
    logits = torch.full((len(tokenized.ids), len(found[chosen[0]])), torch.nan)
    for family in members:
        logits[family] = torch.stack([found[row] for row in family]).mean(dim=0)
    return AveragedSignals(source, logits)
