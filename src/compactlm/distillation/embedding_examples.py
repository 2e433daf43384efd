"""The training rows of the phase embedding: texts, pairs of texts and triples of texts, with the teacher's vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.distillation.signals.online import Batch
from compactlm.distillation.signals.sentences import SentenceSource
from compactlm.draws import draw_generator

PART_NAMES = ("first", "second", "third")


class EmbeddingExamples:
    """Items of one, two or three texts. A batch has items of one kind.

    Items of one text are grouped by length. Pairs and triples are shuffled, because pairs of equal length would be easy to tell apart.
    """

    def __init__(
        self, ids: Sequence[str], sequences: Sequence[Sequence[int]], items: Sequence[tuple[int, ...]], source: SentenceSource, group: int
    ) -> None:
        """Take the texts and the items.

        Args:
            ids: the ids of the texts.
            sequences: the student's token ids of each text.
            items: the positions of the texts of each item: one text, a pair, or a triple (anchor, nearer text, opposite text).
            source: the teacher's vectors of the texts.
            group: the number of pairs or triples of a batch.
        """
        self.sequences, self.items, self.source, self.group = sequences, items, source, group
        self.ids = ["+".join(ids[at] for at in item) for item in items]
        self.lengths = [sum(len(sequences[at]) for at in item) for item in items]

    def batches(self, batch_tokens: int, key: str) -> list[list[int]]:
        """Return the batches of an epoch as lists of positions; `key` is the seed of their order."""
        single = [position for position, item in enumerate(self.items) if len(item) == 1]
        found = [
            [single[at] for at in batch]
            for batch in (make_batches([self.lengths[at] for at in single], batch_tokens, f"{key}/texts") if single else [])
        ]
        for parts in (2, 3):
            several = [position for position, item in enumerate(self.items) if len(item) == parts]
            draw_generator(f"{key}/{parts}").shuffle(several)
            found += [several[start : start + self.group] for start in range(0, len(several), self.group)]
        draw_generator(f"{key}/order").shuffle(found)
        return found

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same items
        """Return the tensors of EmbeddingObjective.

        `first_ids` and `first_mask` hold the first texts, int64 [items, tokens]; pairs also have `second_…`, and triples `second_…` and
        `third_…`. `teacher` holds the teacher's vectors, float [items * texts, teacher's width]; triples have none, because the teacher may
        be wrong about them. `partners` holds a number for the second text of each pair.
        """
        items = [self.items[position] for position in positions]
        batch: Batch = {}
        for name, texts in zip(PART_NAMES, zip(*items, strict=True), strict=False):
            batch[f"{name}_ids"], batch[f"{name}_mask"] = pad_tensors([self.sequences[at] for at in texts])
        parts = len(items[0])
        if parts < 3:
            batch["teacher"] = self.source.vectors([item[part] for part in range(parts) for item in items])
        if parts == 2:
            batch["partners"] = torch.tensor([item[1] for item in items])
        return batch
