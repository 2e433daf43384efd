"""The sections of signals and distillation: the teacher's signals, and losses and optimisation of the phases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from compactlm.params.base import Count, CountOrZero, Name, NotNegative, Number, Positive, Section
from compactlm.params.models import Optimisation


class GeneralSignals(Section):
    """The text of general distillation: `sequences` train sequences, in which the share `mask_rate` of the tokens is masked.

    Each sequence is masked in `maskings` ways, and an epoch reads one of them. For a masked token, the signals are the probabilities of the
    teacher's `top_k` likeliest tokens at `temperature`, and the sum of all other probabilities.
    """

    sequences: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    maskings: Count
    top_k: Count
    temperature: Positive


# What reads in place of the teacher: PyTorch, or on a CPU ONNX Runtime in fp32 or in int8, which is faster and less exact.
Runtime = Literal["torch", "onnx", "onnx_int8"]


class TaskSignals(Section):
    """The unlabelled text of task distillation: `unlabelled_sequences` sequences, drawn from the sources `unlabelled`.

    The fine-tuned teacher computes cached signals on `runtime`, and online signals on PyTorch.
    """

    runtime: Runtime
    unlabelled: list[Name]
    unlabelled_sequences: CountOrZero


class EmbeddingSignals(Section):
    """The text of the phase embedding, drawn from the train split. The numbers are the maximum number of texts of each kind.

    `passages` are cut to `passage_words` words, and `questions` are texts that belong to a passage. `rows` are whole rows, `phrases` have 2
    to 5 words, and `words` are the student's tokens that are whole words. `token_texts` of these texts also have the teacher's token
    vectors as signals. The teacher runs on PyTorch or, on a CPU, on ONNX Runtime (`runtime`), in fp32 or in int8, which is faster and less
    exact. For online signals it always runs on PyTorch.
    """

    runtime: Runtime
    passages: CountOrZero
    passage_words: Count
    questions: CountOrZero
    rows: CountOrZero
    sentences: CountOrZero
    phrases: CountOrZero
    words: CountOrZero
    token_texts: CountOrZero


class Signals(Section):
    """The outputs of the teacher that the student learns from.

    With `source: cached`, the stage signals runs the teacher once, and all students with this vocabulary use the cache. With `online`, the
    teacher runs at every step. `layers` lists the teacher's layers whose hidden states are signals, 0 for the embeddings. A number n
    selects n evenly spread layers, including the last one. A cache that may need more than `gigabytes` of disk space is refused before it
    is computed.
    """

    source: Literal["cached", "online"]
    layers: Count | Annotated[list[CountOrZero], Field(min_length=1)]
    gigabytes: Positive
    general: GeneralSignals
    embedding: EmbeddingSignals
    task: TaskSignals


# "uniform", "last", or pairs of a layer of the student and a layer of the teacher; see compactlm.shapes.layers.
LayerMap = Literal["uniform", "last"] | Annotated[list[tuple[CountOrZero, CountOrZero]], Field(min_length=1)]


class HiddenLoss(Section):
    """Distance between hidden states of paired layers. A learned projection maps the student's states to the teacher's size."""

    weight: NotNegative
    distance: Literal["cosine", "mse"]
    layers: LayerMap


class EmbeddingLoss(Section):
    """Distance between the outputs of the embeddings (Jiao et al. 2020, TinyBERT). `signals.layers` must contain 0."""

    weight: NotNegative
    distance: Literal["cosine", "mse"]


class RelationLoss(Section):
    """Relations of queries, keys and values in `heads` relation heads (Wang et al. 2021, MiniLMv2).

    The teacher's relations of layer n are computed from its hidden states of layer n - 1, which `signals.layers` must contain.
    """

    weight: NotNegative
    heads: Count
    layers: LayerMap


class AttentionLoss(Section):
    """Mean squared error of attention probabilities (Jiao et al. 2020, TinyBERT). It needs signals.source: online."""

    weight: NotNegative
    layers: LayerMap


class Losses(Section):
    """The loss of a phase is the weighted sum of these losses. A weight of 0 disables a loss.

    Soft targets are the teacher's distribution. Hard labels come from the data, with a focal loss if `focal_gamma` is above 0.
    """

    soft_weight: NotNegative
    hard_weight: NotNegative
    focal_gamma: NotNegative
    hidden: HiddenLoss
    embeddings: EmbeddingLoss
    relations: RelationLoss
    attention: AttentionLoss


class GeneralDistillation(Losses):
    """Distillation of the masked language model on the text of signals.general."""

    optimisation: Optimisation


class TaskDistillation(Losses):
    """Distillation of each task on its rows, their augmented copies and the text of signals.task.

    The student starts from the student of general distillation (`start: general`), from the sentence encoder (`embedding`), or from weights
    of the fine-tuned teacher (`teacher`).
    """

    start: Literal["general", "embedding", "teacher"]
    temperature: Positive
    optimisation: Optimisation


class SentenceLoss(Section):
    """A loss of sentence vectors; a weight of 0 disables it."""

    weight: NotNegative


class SharpenedLoss(SentenceLoss):
    """A loss of the similarities of sentence vectors. The similarities are divided by `temperature`."""

    temperature: Positive


class TokenTraining(Optimisation):
    """The training on token vectors. The word embeddings learn at `word_embeddings` times the learning rate."""

    word_embeddings: Positive


class SentenceTraining(Optimisation):
    """The training on sentence vectors. `items` lists the kinds of items: single texts, pairs or triples."""

    items: Annotated[list[Literal["text", "pair", "triple"]], Field(min_length=1)]


class EmbeddingDistillation(Section):
    """Distillation of a sentence encoder on the text of signals.embedding.

    `enabled: auto` runs the phase if the teacher is a sentence encoder, that is, if it has sentence-transformers' modules.json. The student
    starts from the static table (`start: static`, see compactlm.student.static_table) or from the student of general distillation
    (`general`). Its vectors have `width` numbers; null is student.hidden_size.

    `cosine` and `mse` compare a learned projection of the student's vectors with the teacher's vectors. `components` compares the student's
    vectors with the teacher's principal components. `similarity_kl` and `similarity_mse` compare the similarities of the texts of a batch.
    `contrastive` moves the two texts of a pair together, with `pairs_a_batch` pairs in a batch. `opposites` moves the anchor of a triple
    nearer to the right text than to the wrong one. The training has three parts; null leaves one out. `table` trains only the word
    embeddings and the linear map, before the layers. `tokens` trains all layers on the teacher's token vectors. `optimisation` trains all
    layers on the losses above, without texts that have token vectors. At the end the linear map is fitted to the teacher's sentence vectors
    of `fitted_texts` texts by ridge regression; 0 leaves it unchanged.
    """

    enabled: StrictBool | Literal["auto"]
    start: Literal["static", "general"]
    width: Count | None
    cosine: SentenceLoss
    mse: SentenceLoss
    components: SentenceLoss
    similarity_kl: SharpenedLoss
    similarity_mse: SentenceLoss
    contrastive: SharpenedLoss
    opposites: SharpenedLoss
    pairs_a_batch: Annotated[int, Field(ge=2, strict=True)]
    table: Optimisation | None
    tokens: TokenTraining | None
    optimisation: SentenceTraining | None
    fitted_texts: CountOrZero


class Distill(Section):
    """General distillation, then distillation of the embedding and the tasks, with a checkpoint every `checkpoint_minutes`."""

    general: GeneralDistillation
    embedding: EmbeddingDistillation
    task: TaskDistillation
    checkpoint_minutes: NotNegative
