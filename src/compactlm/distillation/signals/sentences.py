"""The teacher's sentence vectors: computed for each batch, or looked up in a cache.

The teacher uses its own tokenizer, so the vectors do not depend on the student's tokens. A cache is a directory with three files, as in
`cache`. rows.parquet has the id and a digest of each text. tensors.safetensors has the vectors in half precision. cache.json has the number
of rows, the settings that the vectors depend on, and the sha256 of tensors.safetensors.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm import tqdm

from compactlm.artifacts import file_sha256, read_json, write_json
from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.distillation.signals.cache import TENSORS
from compactlm.distillation.signals.tensor_files import create_tensors, damage, read_tensors
from compactlm.errors import CompactLMError

VECTORS = "teacher_vectors"


@dataclasses.dataclass(frozen=True)
class Texts:
    """Distinct texts with their ids."""

    ids: Sequence[str]
    texts: Sequence[str]

    def digests(self) -> list[str]:
        """Return a hash of each text."""
        return [hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in self.texts]


class SentenceSource(Protocol):
    """A source of the teacher's sentence vectors."""

    def vectors(self, rows: Sequence[int]) -> torch.Tensor:
        """Return the vectors of some texts, float32 [rows, teacher's width], each of length 1."""
        ...


class OnlineSentences:
    """A teacher that runs on the texts of each batch, in eval mode."""

    def __init__(self, teacher: SentenceEncoder, texts: Texts, maximum_length: int, precision: str = "fp32") -> None:
        """Take the teacher, the texts, the number of tokens to which each is truncated, and the precision."""
        self.teacher, self.precision = teacher, precision
        self.sequences = teacher.tokenize(texts.texts, maximum_length)
        self.lengths = [len(sequence) for sequence in self.sequences]

    @torch.no_grad()
    def vectors(self, rows: Sequence[int]) -> torch.Tensor:
        """Return the vectors of some texts; see SentenceSource."""
        with torch.autocast(self.teacher.model.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            vectors = self.teacher.encode_batch([self.sequences[row] for row in rows])
        return torch.nn.functional.normalize(vectors.float(), dim=-1)


def write_sentences(
    directory: Path, texts: Texts, source: OnlineSentences, batch_tokens: int, description: str, settings: Mapping[str, Any]
) -> None:
    """Write the teacher's vectors of all texts to a new directory. `settings` has the settings that they depend on, as JSON values.

    Raises:
        CompactLMError: there is not enough memory, or a vector is not finite.
    """
    directory.mkdir(parents=True)
    tensor = None
    for number, rows in enumerate(tqdm(make_batches(source.lengths, batch_tokens), desc=description, unit="batch", mininterval=0.5), 1):
        with memory_errors(description, number, [source.lengths[row] for row in rows], batch_tokens):
            vectors = source.vectors(rows).cpu()
        if not torch.isfinite(vectors).all():
            bad = texts.ids[rows[int((~torch.isfinite(vectors)).any(dim=1).nonzero()[0])]]
            raise CompactLMError(
                f"the teacher's vector of the text {bad} ({description}) is not finite; choose another teacher or precision"
            )
        if tensor is None:
            shapes = {VECTORS: (torch.float16, (len(texts.ids), vectors.shape[1]))}
            tensor = create_tensors(directory / TENSORS, shapes)[VECTORS]
        for line, row in enumerate(rows):
            tensor.write(row, vectors[line : line + 1])
    pq.write_table(pa.table({"id": list(texts.ids), "digest": texts.digests()}), directory / "rows.parquet", compression="zstd")
    kept = {"rows": len(texts.ids), "settings": dict(settings), "sha256": file_sha256(directory / TENSORS)}
    write_json(directory / "cache.json", kept)


class CachedSentences:
    """The teacher's vectors from a cache."""

    def __init__(self, directory: Path, texts: Texts, settings: Mapping[str, Any]) -> None:
        """Open the cache of these texts. It must have been written with the same `settings`.

        Raises:
            CompactLMError: the cache is damaged, or was written for other texts or other settings.
            FileNotFoundError: there is no cache.
        """
        if not (directory / "cache.json").is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory / "cache.json"))
        with damage(directory / "cache.json"):
            written = read_json(directory / "cache.json")
            kept, whole = dict(written["settings"]), str(written["sha256"])
        for name, wanted in settings.items():
            if kept.get(name) != wanted:
                raise CompactLMError(
                    f"{directory} has vectors for {name} {kept.get(name)}, but {name} is {wanted} now; "
                    "run `dvc repro` to write the signals again"
                )
        _check_rows(directory, texts)
        self.tensor = read_tensors(directory / TENSORS)[VECTORS]
        with damage(directory / TENSORS):
            if file_sha256(directory / TENSORS) != whole:
                raise ValueError("its sha256 is not the one in cache.json")

    def vectors(self, rows: Sequence[int]) -> torch.Tensor:
        """Return the vectors of some texts; see SentenceSource."""
        return torch.nn.functional.normalize(torch.cat([self.tensor.read(row, row + 1) for row in rows]).float(), dim=-1)


def _check_rows(directory: Path, texts: Texts) -> None:
    with damage(directory / "rows.parquet"):
        table = pq.read_table(directory / "rows.parquet").to_pydict()
        ids, digests = table["id"], table["digest"]
    fix = "run `dvc repro` to write the signals again"
    if len(ids) != len(texts.ids):
        raise CompactLMError(f"{directory} has {len(ids)} texts, but there are {len(texts.ids)} now; {fix}")
    for row, (name, digest, wanted, found) in enumerate(zip(ids, digests, texts.ids, texts.digests(), strict=True)):
        if (name, digest) != (wanted, found):
            raise CompactLMError(f"row {row} of {directory} ({name}) has the vector of another text than {wanted} has now; {fix}")
