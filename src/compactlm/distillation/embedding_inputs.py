"""The inputs of the phase embedding: texts, the teacher's vectors and the static table, the same for signals and distill-train."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import Any

import numpy as np
import torch

from compactlm import artifacts
from compactlm.artifacts import derived_id
from compactlm.bert.models import best_device, load_body, load_tokenizer
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.distillation.embedding_text import embedding_text
from compactlm.distillation.inputs import Inputs
from compactlm.distillation.signals.sentences import CachedSentences, OnlineSentences, SentenceSource, Texts
from compactlm.params.suites import SUITES, read_suite
from compactlm.student.static_table import StaticTable, static_table
from compactlm.student.vocabulary import count_tokens
from compactlm.text.triples import make_triples

EMBEDDING, TABLE = "embedding", "embedding_table"  # the names of the phase and of the training of its word embeddings alone
BASE = artifacts.TEACHER / artifacts.BASE
STATIC = "static.safetensors"  # the static table, in artifacts.SIGNALS


def is_enabled(enabled: bool | str) -> bool:
    """Return whether the phase runs: `enabled` is distill.embedding.enabled, and auto depends on the teacher."""
    return is_sentence_encoder(BASE) if enabled == "auto" else bool(enabled)


@dataclasses.dataclass(frozen=True)
class Material:
    """The texts of the phase, each once, and its items as positions in them: one text, a pair, or a triple (see EmbeddingExamples)."""

    texts: Texts
    items: list[tuple[int, ...]]


class EmbeddingInputs:
    """The texts of the phase, its teacher and the teacher's vectors."""

    def __init__(self, inputs: Inputs) -> None:
        """Take the inputs of all phases."""
        self.inputs, self.params = inputs, inputs.params

    @property
    def maximum_length(self) -> int:
        """The most tokens that the student reads of a text."""
        return min(self.params.student.maximum_positions, self.params.teacher.maximum_length)

    @functools.cached_property
    def material(self) -> Material:
        """The texts of signals.embedding, and the items that a loss with a weight learns from."""
        rows = artifacts.read_documents(artifacts.SPLIT / "train")
        found = embedding_text(rows, self.inputs.tokenizer.get_vocab(), self.params.signals.embedding, self.params.seed)
        losses, texts = self.params.distill.embedding, dict(zip(found.ids, found.texts, strict=True))
        pairs = found.pairs if losses.contrastive.weight else []
        paired = {passage for _, passage in pairs}  # passages are long, and their pairs teach the teacher's vectors as well
        items: list[tuple[int, ...]] = [(at,) for at in range(len(texts)) if at not in paired]
        items += pairs
        places = {name: at for at, name in enumerate(texts)}
        for triple in self._triples() if losses.opposites.weight else ():
            for text in triple:
                name = derived_id("embedding", text)
                places.setdefault(name, len(places))
                texts[name] = text
            items.append(tuple(places[derived_id("embedding", text)] for text in triple))
        return Material(Texts(list(texts), list(texts.values())), items)

    def _triples(self) -> list[tuple[str, str, str]]:
        """Return the triples of the training halves of the suites in configs/words/context."""
        suites = [read_suite(path.stem) for path in sorted(SUITES.glob("*.yaml"))]
        return list(dict.fromkeys((one.anchor, one.right, one.wrong) for suite in suites for one in make_triples(suite, "train")))

    def teacher(self) -> SentenceEncoder:
        """Return the teacher. One without modules of its own gets the mean of its hidden states, normalised."""
        if is_sentence_encoder(BASE):
            return SentenceEncoder.load(BASE)
        return SentenceEncoder(load_body(BASE).to(best_device()).eval(), load_tokenizer(BASE), SentenceModules())

    def settings(self) -> dict[str, Any]:
        """Return the settings that the teacher's vectors depend on, as cache.json stores them."""
        digest = hashlib.sha256()
        for path in sorted(BASE.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(BASE).as_posix().encode() + bytes.fromhex(artifacts.file_sha256(path)))
        return {"teacher": digest.hexdigest(), "maximum_length": self.params.teacher.maximum_length, "precision": self.params.precision}

    def online(self, texts: Texts) -> OnlineSentences:
        """Return the teacher as a source of the vectors of these texts."""
        return OnlineSentences(self.teacher(), texts, self.params.teacher.maximum_length, self.params.precision)

    def source(self) -> SentenceSource:
        """Return the source of the teacher's vectors that signals.source names.

        Raises:
            CompactLMError: the cache is damaged, or belongs to other texts or another teacher.
        """
        if self.params.signals.source == "cached":
            return CachedSentences(artifacts.SIGNALS / EMBEDDING, self.material.texts, self.settings())
        return self.online(self.material.texts)

    def make_table(self) -> StaticTable:
        """Return the static table of the teacher; see compactlm.student.static_table."""
        teacher, tokenizer = self.teacher(), self.inputs.tokenizer
        bare = dataclasses.replace(teacher, modules=dataclasses.replace(teacher.modules, normalise=False))

        def encode(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG001 - all rows are full
            return torch.from_numpy(np.asarray(bare.encode_sequences(input_ids.tolist(), self.params.batch_tokens, "static table")))

        ends = teacher.tokenizer.cls_token_id, teacher.tokenizer.sep_token_id
        counts = count_tokens(row["input_ids"] for row in self.inputs.train)
        return static_table(encode, self.inputs.id_map, ends, tokenizer.all_special_ids, counts)
