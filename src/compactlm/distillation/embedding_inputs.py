"""The inputs of the phase embedding: texts, the teacher's vectors and the static table. The stages signals and distill-train share them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BertModel

from compactlm import artifacts
from compactlm.artifacts import derived_id
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.sentence_encoder.modules import is_sentence_encoder
from compactlm.bert.tokenization import encode
from compactlm.distillation.embedding_text import embedding_text
from compactlm.distillation.examples import TaskRows
from compactlm.distillation.inputs import Inputs
from compactlm.distillation.signals.cache import CachedSignals
from compactlm.distillation.signals.online import SignalSource
from compactlm.distillation.signals.sentences import CachedSentences, OnlineSentences, SentenceSource, Texts
from compactlm.distillation.signals.token_vectors import OnlineTokens
from compactlm.draws import draw_items
from compactlm.errors import CompactLMError
from compactlm.params.suites import SUITES, read_opposites, read_suite
from compactlm.student.building import principal_components
from compactlm.student.static_table import StaticTable, static_table
from compactlm.student.vocabulary import count_tokens
from compactlm.text.triples import Triple, make_triples, opposite_triples

EMBEDDING = "embedding"  # the name of the phase
TABLE, TOKENS = "embedding_table", "embedding_tokens"  # the names of its parts: the word embeddings alone, and token vectors
BASE = artifacts.TEACHER / artifacts.BASE
COMPONENT_TEXTS, AT_ONCE = 20_000, 256
STATIC = "static.safetensors"  # the static table, in artifacts.SIGNALS


def is_enabled(enabled: bool | str) -> bool:
    """Return whether the phase runs: `enabled` is distill.embedding.enabled; with auto it depends on the teacher."""
    return is_sentence_encoder(BASE) if enabled == "auto" else bool(enabled)


@dataclasses.dataclass(frozen=True)
class Material:
    """The distinct texts of the phase, and positions in their list.

    Attributes:
        texts: the texts.
        items: what a loss learns from: one text, a pair, or a triple (see EmbeddingExamples).
        opposites: triples from pairs of opposites. Only the table learns from them, because in a step with all layers they lower the
            correlation with the teacher.
        whole: positions of rows, sentences and passages, or of all drawn texts if there are none. The student's linear map is fitted on
            these.
    """

    texts: Texts
    items: list[tuple[int, ...]]
    opposites: list[tuple[int, ...]]
    whole: list[int]


def _add_triples(triples: Sequence[Triple], texts: dict[str, str]) -> list[tuple[int, ...]]:
    """Add the texts of triples to a dictionary of texts by id. Return each triple as three positions in it, without repeats."""
    named = [tuple((derived_id("embedding", text), text) for text in (one.anchor, one.right, one.wrong)) for one in triples]
    for three in named:
        texts.update(three)
    places = {name: at for at, name in enumerate(texts)}
    return list(dict.fromkeys(tuple(places[name] for name, _ in three) for three in named))


class EmbeddingInputs:
    """The texts of the phase, its teacher and the teacher's vectors."""

    def __init__(self, inputs: Inputs, body: Callable[[BertModel], Any] | None = None) -> None:
        """Take the inputs of all phases, and optionally a function that replaces the teacher's body by an equivalent one."""
        self.inputs, self.params, self.body = inputs, inputs.params, body

    @property
    def maximum_length(self) -> int:
        """The number of tokens to which the student truncates a text."""
        return min(self.params.student.maximum_positions, self.params.teacher.maximum_length)

    @functools.cached_property
    def material(self) -> Material:
        """The texts that signals.embedding asks for, and the items of all losses that have a weight."""
        rows = artifacts.read_documents(artifacts.SPLIT / "train")
        found = embedding_text(rows, self.inputs.tokenizer.get_vocab(), self.params.signals.embedding, self.params.seed)
        losses, texts = self.params.distill.embedding, dict(zip(found.ids, found.texts, strict=True))
        pairs = found.pairs if losses.contrastive.weight else []
        paired = {passage for _, passage in pairs}  # passages are long, and their pairs teach the teacher's vectors as well
        items: list[tuple[int, ...]] = [(at,) for at in range(len(texts)) if at not in paired]
        items += pairs
        has_triples = losses.opposites.weight > 0
        items += _add_triples(self._triples() if has_triples else [], texts)
        opposites = _add_triples(self._opposites() if has_triples else [], texts)
        whole = [at for at, kind in enumerate(found.kinds) if kind in {"row", "sentence", "passage"}]
        return Material(Texts(list(texts), list(texts.values())), items, opposites, whole or list(range(len(found.ids))))

    def _triples(self) -> list[Triple]:
        """Return the triples from the half `train` of each suite in configs/words/context."""
        return [one for path in sorted(SUITES.glob("*.yaml")) for one in make_triples(read_suite(path.stem), "train")]

    def _opposites(self) -> list[Triple]:
        """Return the triples from configs/words/opposites.yaml."""
        return opposite_triples(read_opposites())

    def teacher(self) -> SentenceEncoder:
        """Return the teacher as a sentence encoder. Without modules of its own it gives the normalised mean of its hidden states."""
        encoder = SentenceEncoder.load(BASE)
        return dataclasses.replace(encoder, model=self.body(encoder.model)) if self.body else encoder

    def settings(self) -> dict[str, Any]:
        """Return the settings that the teacher's vectors depend on, as cache.json stores them."""
        digest = hashlib.sha256()
        for path in sorted(BASE.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(BASE).as_posix().encode() + bytes.fromhex(artifacts.file_sha256(path)))
        params = self.params
        found = {"teacher": digest.hexdigest(), "maximum_length": params.teacher.maximum_length, "precision": params.precision}
        return {**found, "runtime": params.signals.embedding.runtime}

    def online(self, texts: Texts) -> OnlineSentences:
        """Return the teacher as a source of the texts' sentence vectors."""
        return OnlineSentences(self.teacher(), texts, self.params.teacher.maximum_length, self.params.precision)

    def source(self) -> SentenceSource:
        """Return the source of the teacher's vectors: the cache or the teacher itself, as signals.source says.

        Raises:
            CompactLMError: the cache is damaged, or belongs to other texts or another teacher.
        """
        if self.params.signals.source == "cached":
            return CachedSentences(artifacts.SIGNALS / EMBEDDING, self.material.texts, self.settings())
        return self.online(self.material.texts)

    @property
    def width(self) -> int:
        """The width of the student's vectors."""
        return self.params.distill.embedding.width or self.params.student.hidden_size

    @functools.cached_property
    def token_rows(self) -> TaskRows:
        """The texts whose token vectors are signals, in the student's ids. They are drawn from the items of one text."""
        texts, params = self.material.texts, self.params
        single = [item[0] for item in self.material.items if len(item) == 1]
        drawn = draw_items(single, params.signals.embedding.token_texts, "token vectors", params.seed, key=lambda at: texts.ids[at])
        sequences = encode(self.inputs.tokenizer, [texts.texts[at] for at in drawn], params.tokenize.maximum_length)
        return TaskRows([texts.ids[at] for at in drawn], sequences, [None] * len(drawn), [1.0] * len(drawn))

    def components(self, source: SentenceSource) -> torch.Tensor:
        """Return the principal components of the teacher's sentence vectors, float [width, teacher's width], the strongest first."""
        ids = self.material.texts.ids
        drawn = draw_items(range(len(ids)), COMPONENT_TEXTS, "components", self.params.seed, key=lambda row: ids[row])
        parts = [source.vectors(drawn[start : start + AT_ONCE]).cpu() for start in range(0, len(drawn), AT_ONCE)]
        vectors = torch.cat(parts)
        return principal_components(vectors - vectors.mean(dim=0), self.width)

    def token_settings(self) -> dict[str, Any]:
        """Return the settings that the token vectors depend on, as cache.json stores them. The tokens are checked separately."""
        vocabulary = artifacts.file_sha256(artifacts.ID_MAP)
        return {**self.settings(), "width": self.width, "vocabulary": vocabulary}

    def online_tokens(self, source: SentenceSource) -> OnlineTokens:
        """Return the teacher as a source of token vectors.

        Raises:
            CompactLMError: the teacher's sentence vectors are not plain means of hidden states.
        """
        teacher = self.teacher()
        if teacher.modules.pooling != ("mean",) or teacher.modules.dense:
            raise CompactLMError(
                "distill.embedding.tokens needs a teacher whose sentence vectors are means of its hidden states; set it to null and "
                "signals.embedding.token_texts to 0"
            )
        return OnlineTokens(teacher.model, self.inputs.id_map, self.components(source), self.params.precision)

    def token_source(self, source: SentenceSource) -> SignalSource:
        """Return the source of the teacher's token vectors, as signals.source says; `source` gives the sentence vectors."""
        if self.params.signals.source == "cached":
            return CachedSignals(artifacts.SIGNALS / TOKENS, self.token_rows, self.token_settings())
        return self.online_tokens(source)

    def make_table(self) -> StaticTable:
        """Return the static table of the teacher; see compactlm.student.static_table."""
        teacher, tokenizer = self.teacher(), self.inputs.tokenizer
        bare = dataclasses.replace(teacher, modules=dataclasses.replace(teacher.modules, normalise=False))

        def read(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG001 - all rows are full
            return torch.from_numpy(np.asarray(bare.encode_sequences(input_ids.tolist(), self.params.batch_tokens, "static table")))

        ends = teacher.tokenizer.cls_token_id, teacher.tokenizer.sep_token_id
        counts = count_tokens(row["input_ids"] for row in self.inputs.train)
        return static_table(read, self.inputs.id_map, ends, tokenizer.all_special_ids, counts)
