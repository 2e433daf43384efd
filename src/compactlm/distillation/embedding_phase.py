"""The phase embedding: train the student to reproduce the teacher's sentence embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers import BertForMaskedLM

from compactlm import artifacts
from compactlm.bert.arrays import Array
from compactlm.bert.batches import make_batches
from compactlm.bert.models import best_device, pad_tensors
from compactlm.bert.tokenization import encode
from compactlm.corpus.queries import passages_with_queries
from compactlm.distillation.embedding_examples import EmbeddingExamples
from compactlm.distillation.embedding_inputs import EMBEDDING, STATIC, TABLE, TOKENS, EmbeddingInputs
from compactlm.distillation.embedding_objective import EmbeddingObjective
from compactlm.distillation.signals.sentences import SentenceSource
from compactlm.distillation.token_objective import TokenExamples, TokenObjective, fit_tokens
from compactlm.draws import draw_items
from compactlm.figures.figure import Figure
from compactlm.params import Optimisation
from compactlm.student.regression import ridge
from compactlm.student.sentence_student import SentenceStudent, build_body, start_from_table
from compactlm.student.static_table import StaticTable
from compactlm.training.loop import Examples, set_dropout

FITTED_TEXTS = 4000  # the last map of a student that starts from general distillation is fitted on so many texts
VALIDATION_QUERIES = 2000
ITEM_KINDS = {1: "text", 2: "pair", 3: "triple"}  # by the number of its texts
PENALTY = 0.001  # of the regression, relative to the mean variance of the hidden states
Train = Callable[[str, torch.nn.Module, Examples, Optimisation, str], None]


def begin(found: EmbeddingInputs, general: BertForMaskedLM, source: SentenceSource, table: StaticTable) -> SentenceStudent:
    """Return the student before training. Its first weights are those that distill.embedding.start names."""
    params = found.params
    width = params.distill.embedding.width or params.student.hidden_size
    torch.manual_seed(params.seed)
    student = SentenceStudent(build_body(params.student, len(found.inputs.id_map)), width)
    if params.distill.embedding.start == "static":
        start_from_table(student, table)
    else:
        student.bert.load_state_dict(general.bert.state_dict(), strict=False)
        _fit_dense(student, found, source, table.directions, _draw(found, range(len(found.material.texts.ids)), FITTED_TEXTS))
    return student


def _fit_dense(student: SentenceStudent, found: EmbeddingInputs, source: SentenceSource, directions: torch.Tensor, rows: list[int]) -> None:
    """Fit the student's linear map to the teacher's sentence vectors of some texts by ridge regression.

    `directions` are the components to which the teacher's vectors are reduced, float [components, teacher's width]; `rows` are positions in
    the texts of the phase.
    """
    texts, width = found.material.texts, student.dense.out_features
    sequences = encode(found.inputs.tokenizer, [texts.texts[row] for row in rows], found.maximum_length)
    states = embed(student, sequences, found.params.batch_tokens, pooled=True)
    reduced = torch.zeros(width, directions.shape[1])
    reduced[: len(directions)] = directions[:width]
    weight, bias = ridge(torch.from_numpy(states), source.vectors(rows).cpu() @ reduced.T, PENALTY)
    with torch.no_grad():
        student.dense.weight.copy_(weight)
        student.dense.bias.copy_(bias)


def _draw(found: EmbeddingInputs, rows: Sequence[int], count: int) -> list[int]:
    ids = found.material.texts.ids
    return draw_items(rows, count, "dense", found.params.seed, key=lambda row: ids[row])


def distil_embedding(found: EmbeddingInputs, general: BertForMaskedLM, train: Train) -> SentenceStudent:
    """Distil the sentence encoder.

    Args:
        found: the inputs of the phase.
        general: the student of general distillation.
        train: a function that trains an objective. It takes the phase's name, the objective, the examples, the optimisation and its key in
            params.yaml.

    Raises:
        CompactLMError: the cache was written for other texts or settings.
    """
    section = found.params.distill.embedding
    table, source, material = StaticTable.read(artifacts.SIGNALS / STATIC), found.source(), found.material
    student = begin(found, general, source, table)
    sequences = encode(found.inputs.tokenizer, material.texts.texts, found.maximum_length)

    def teach(name: str, objective: torch.nn.Module, rows: Examples, optimisation: Optimisation, key: str) -> None:
        set_dropout(student, optimisation.dropout)
        train(name, objective, rows, optimisation, f"distill.embedding.{key}")

    def examples(items: list[tuple[int, ...]]) -> EmbeddingExamples:
        return EmbeddingExamples(material.texts.ids, sequences, items, source, section.pairs_a_batch)

    objective = EmbeddingObjective(student, section, table.directions)
    if section.table:
        student.train_layers(False)
        teach(TABLE, objective, examples(material.items + material.opposites), section.table, "table")
    student.train_layers(True)
    items, components = material.items, table.directions
    if section.tokens:
        targets = found.token_source(source)
        rows = TokenExamples(found.token_rows, targets)
        variance = fit_tokens(student.to(best_device()).eval(), rows)
        learnt = TokenObjective(student, variance, section.tokens.word_embeddings)
        teach(TOKENS, learnt, rows, section.tokens, "tokens")
        # The vectors are now in the components of the token vectors.
        components = found.components(source)
        objective = EmbeddingObjective(student, section, components)
        items = _without(items, material.texts.ids, set(found.token_rows.ids)) or items
    if section.optimisation and (chosen := [item for item in items if ITEM_KINDS[len(item)] in section.optimisation.items]):
        teach(EMBEDDING, objective, examples(chosen), section.optimisation, "optimisation")
    if section.fitted_texts:
        _fit_dense(student, found, source, components, _draw(found, material.whole, section.fitted_texts))
    return student


def _without(items: list[tuple[int, ...]], ids: Sequence[str], learnt: set[str]) -> list[tuple[int, ...]]:
    """Leave out single texts whose token vectors the student has learnt. Training on their sentence vectors would undo some of that."""
    return [item for item in items if len(item) > 1 or ids[item[0]] not in learnt]


@torch.no_grad()
def embed(student: SentenceStudent, sequences: list[list[int]], batch_tokens: int, pooled: bool = False) -> Array:
    """Return the unit vectors of sequences of token ids, float32 [rows, width]; with `pooled`, the mean hidden states."""
    student.to(best_device()).eval()
    device = student.dense.weight.device
    width = student.dense.in_features if pooled else student.dense.out_features
    vectors = np.zeros((len(sequences), width), dtype=np.float32)
    for rows in make_batches([len(sequence) for sequence in sequences], batch_tokens):
        input_ids, mask = (tensor.to(device) for tensor in pad_tensors([sequences[row] for row in rows]))
        states = student.pooled(input_ids, mask) if pooled else torch.nn.functional.normalize(student(input_ids, mask), dim=-1)
        vectors[rows] = states.float().cpu().numpy()
    return vectors


def validate(found: EmbeddingInputs, student: SentenceStudent) -> dict[str, Figure]:
    """Return the shares of validation queries whose passage is ranked first, and among the first ten."""
    params = found.params
    passages = passages_with_queries(artifacts.read_documents(artifacts.SPLIT / "validation"))
    asked = [(query, at) for at, passage in enumerate(passages) for query in passage.queries]
    asked = draw_items(asked, VALIDATION_QUERIES, "validation queries", params.seed, key=lambda pair: f"{pair[0]}\0{pair[1]}")
    texts = [passage.text for passage in passages], [query for query, _ in asked]
    vectors = [embed(student, encode(found.inputs.tokenizer, each, found.maximum_length), params.batch_tokens) for each in texts if each]
    if len(vectors) < 2:
        return {}
    ranks = rank(vectors[1], vectors[0], [at for _, at in asked])
    return {f"validation_found_at_{first}": Figure.over_rows(float((ranks < first).mean()), len(ranks)) for first in (1, 10)}


def rank(queries: Array, passages: Array, right: list[int]) -> Array:
    """Return for each query how many passages are nearer than its own, int [queries]. All vectors have length 1."""
    scores = queries @ passages.T
    ranks: Array = (scores > scores[np.arange(len(right)), right][:, None]).sum(axis=1)
    return ranks
