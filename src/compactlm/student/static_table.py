"""The static table: a vector for each of the student's tokens. The embedding of a text is the weighted mean of its tokens' vectors.

The teacher reads each token alone, the vectors are reduced to their principal components, and frequent tokens get small weights. This is
the method of model2vec (Tulkens and van Dongen 2024, https://github.com/MinishLab/model2vec) with the weights of Arora et al. 2017
(https://openreview.net/forum?id=SyK00v5xx). The student's word embeddings start from the table, and the evaluation uses it as a baseline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError

from compactlm.artifacts import replacing
from compactlm.errors import CompactLMError
from compactlm.student.building import principal_components

SMOOTHING = 1e-3  # a token of this frequency has the weight 1/2
TOKENS_AT_ONCE = 1024


@dataclasses.dataclass(frozen=True)
class StaticTable:
    """The vectors of the student's tokens.

    Attributes:
        vectors: float32 [tokens, components], the strongest component first, multiplied by the tokens' weights. Special tokens have zeros.
        directions: the components in the teacher's space, float32 [components, teacher's width].
    """

    vectors: torch.Tensor
    directions: torch.Tensor

    def embed(self, sequences: Sequence[Sequence[int]], width: int) -> torch.Tensor:
        """Return the unit vectors of texts, float32 [texts, width].

        `sequences` are the student's token ids, and `width` is the number of components. A text gets zeros if none of its tokens has a
        vector.
        """
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        ids = torch.tensor([token for sequence in sequences for token in sequence], dtype=torch.int64)
        table = self.vectors[:, :width].contiguous()
        sums = torch.nn.functional.embedding_bag(ids, table, lengths.cumsum(0) - lengths, mode="sum")
        return torch.nn.functional.normalize(sums, dim=-1)

    def save(self, path: Path) -> None:
        """Write the table to a safetensors file."""
        with replacing(path) as unfinished:
            safetensors.torch.save_file({"vectors": self.vectors, "directions": self.directions}, unfinished)

    @classmethod
    def read(cls, path: Path) -> StaticTable:
        """Read a table.

        Raises:
            CompactLMError: the file is damaged.
            FileNotFoundError: there is no such file.
        """
        try:
            tensors = safetensors.torch.load_file(path)
            return cls(tensors["vectors"], tensors["directions"])
        except (SafetensorError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CompactLMError(f"{path} is damaged ({reason}); run `dvc checkout`, or `dvc repro --force signals`") from None


def static_table(
    encode: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    teacher_ids: Sequence[int],
    ends: tuple[int, int],
    special: Sequence[int],
    counts: Mapping[int, float],
) -> StaticTable:
    """Make the table of a teacher.

    Args:
        encode: returns the teacher's sentence vectors, float [rows, teacher's width], of input ids and an attention mask, int64 [rows, 3].
        teacher_ids: the teacher's id of each of the student's ids.
        ends: the teacher's ids of [CLS] and [SEP].
        special: the student's ids of the special tokens.
        counts: how often each of the student's ids occurs in the text.
    """
    start, end = ends
    parts = []
    for first in range(0, len(teacher_ids), TOKENS_AT_ONCE):
        ids = torch.tensor([[start, token, end] for token in teacher_ids[first : first + TOKENS_AT_ONCE]])
        parts.append(encode(ids, torch.ones_like(ids)).float().cpu())
    read = torch.cat(parts)
    ordinary = torch.ones(len(read), dtype=torch.bool)
    ordinary[list(special)] = False
    centred = read - read[ordinary].mean(dim=0)
    directions = principal_components(centred[ordinary], min(centred.shape[1], int(ordinary.sum())))
    vectors = (centred @ directions.T) * token_weights(len(read), special, counts)[:, None]
    return StaticTable(vectors.contiguous(), directions.contiguous())


def token_weights(tokens: int, special: Sequence[int], counts: Mapping[int, float]) -> torch.Tensor:
    """Return a weight for each of the student's ids, 0.001 / (0.001 + relative frequency), and 0 for special tokens; float32 [tokens]."""
    frequencies = torch.zeros(tokens, dtype=torch.float64)
    for token, count in counts.items():
        frequencies[token] = count
    frequencies[list(special)] = 0
    weights = SMOOTHING / (SMOOTHING + frequencies / frequencies.sum().clamp(min=1))
    weights[list(special)] = 0
    return weights.float()
