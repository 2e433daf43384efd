"""The phase embedding: ours with cached or online vectors of sentences or tokens, and the distillation recipe of sentence-transformers.

All train a student of the same shape on the same texts towards the same teacher. sentence-transformers' recipe is its MSELoss (Reimers and
Gurevych 2020): the teacher's vectors, computed once and reduced to the student's width, are the labels of single texts.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.train.arithmetic import Shape, Work
from benchmarks.train.clock import Clock, Size
from benchmarks.train.jobs import ROWS, Job
from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.bert.sentence_encoder.writing import write_modules
from compactlm.bert.tokenization import encode
from compactlm.distillation.embedding_examples import PART_NAMES, EmbeddingExamples
from compactlm.distillation.embedding_inputs import STATIC, EmbeddingInputs
from compactlm.distillation.embedding_objective import EmbeddingObjective
from compactlm.distillation.examples import TaskRows
from compactlm.distillation.inputs import Inputs
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import Batch
from compactlm.distillation.signals.sentences import CachedSentences, Texts, write_sentences
from compactlm.distillation.signals.token_vectors import OnlineTokens
from compactlm.distillation.token_objective import TokenExamples, TokenObjective, fit_tokens
from compactlm.errors import CompactLMError
from compactlm.params import EmbeddingDistillation, Optimisation, read_params
from compactlm.student.sentence_student import SentenceStudent, build_body, start_from_table
from compactlm.student.static_table import StaticTable
from compactlm.training.loop import Settings, set_dropout, train

EPOCHS, STEPS = 300, 1_000_000  # more than any machine finishes in time


class SentenceMaterial:
    """The texts, the teacher and the student of a job."""

    def __init__(self, job: Job) -> None:
        """Read params.yaml and the artifacts of the working directory. `job.sequences` is the number of items."""
        self.job, self.params = job, read_params()
        self.inputs = Inputs(self.params)
        self.sentences = EmbeddingInputs(self.inputs)
        whole = self.sentences.material
        # Items are spread over all texts, so that the share of pairs is that of the phase.
        items = whole.items[:: max(1, len(whole.items) // job.sequences)]
        used = sorted({at for item in items for at in item})
        places = {at: place for place, at in enumerate(used)}
        self.texts = Texts([whole.texts.ids[at] for at in used], [whole.texts.texts[at] for at in used])
        self.items = [tuple(places[at] for at in item) for item in items]
        self.table = StaticTable.read(artifacts.SIGNALS / STATIC)
        self.sequences = encode(self.inputs.tokenizer, self.texts.texts, self.sentences.maximum_length)

    def student(self) -> SentenceStudent:
        """Return the student as the phase starts it."""
        torch.manual_seed(self.params.seed)
        width = self.params.distill.embedding.width or self.params.student.hidden_size
        student = SentenceStudent(build_body(self.params.student, len(self.inputs.id_map)), width)
        start_from_table(student, self.table)
        return student

    def work(self, student: SentenceStudent, teacher: Any = None) -> Work:
        """Return the arithmetic of a step; the teacher is given if it runs."""
        own = Shape.of(student.config, 0)
        if not student.layers:
            own = dataclasses.replace(own, layers=0)
        return Work(own, Shape.of(teacher.config, 0) if teacher else None, self.table.directions.shape[1], 0, "none")


class _Counted:
    """Examples that report their batches to the clock."""

    def __init__(self, examples: EmbeddingExamples, clock: Clock) -> None:
        self.examples, self.clock = examples, clock
        self.lengths, self.batches = examples.lengths, examples.batches

    def batch(self, positions: Any, epoch: int) -> Batch:
        batch = self.examples.batch(positions, epoch)
        masks = [batch[f"{name}_mask"] for name in PART_NAMES if f"{name}_mask" in batch]
        rows, positions_in_all = sum(len(mask) for mask in masks), sum(mask.numel() for mask in masks)
        self.clock.supply_size(Size(rows, round(positions_in_all / rows), sum(int(mask.sum()) for mask in masks)))
        return batch


class _CountedTokens:
    """Texts with token vectors that report their batches to the clock."""

    def __init__(self, examples: TokenExamples, clock: Clock) -> None:
        self.examples, self.clock, self.lengths = examples, clock, examples.lengths

    def batch(self, positions: Any, epoch: int) -> Batch:
        batch = self.examples.batch(positions, epoch)
        self.clock.supply(batch)
        return batch


def write(material: SentenceMaterial) -> dict[str, float]:
    """Write the job's cache and return its seconds, the teacher's tokens and gigabytes."""
    directory, start = Path(material.job.directory) / material.job.cache, time.perf_counter()
    source = material.sentences.online(material.texts)
    write_sentences(directory, material.texts, source, material.params.batch_tokens, material.job.title, {})
    seconds = time.perf_counter() - start
    size = sum(file.stat().st_size for file in directory.iterdir())
    return {"seconds": seconds, "tokens": sum(source.lengths), "gigabytes": size / 1e9}


def measure(material: SentenceMaterial, clock: Clock) -> tuple[Work, dict[str, Any]]:
    """Train until the clock stops; return the arithmetic of a step, and other figures. The kind "table" trains without layers."""
    job, section, start = material.job, material.params.distill.embedding, time.perf_counter()
    online = material.sentences.online(material.texts) if job.kind == "online" else None
    source = online or CachedSentences(Path(job.directory) / job.cache, material.texts, {})
    opened = time.perf_counter() - start
    student = material.student().to(models.best_device())
    optimisation = _optimisation(section, job.kind)
    set_dropout(student, optimisation.dropout)
    student.train_layers(job.kind != "table")
    examples = EmbeddingExamples(material.texts.ids, material.sequences, material.items, source, section.pairs_a_batch)
    objective = EmbeddingObjective(student, section, material.table.directions)
    settings = Settings(material.params.seed, material.params.precision)
    many = optimisation.model_copy(update={"epochs": EPOCHS})
    clock.run(lambda: train("embedding", objective, _Counted(examples, clock), many, settings))
    found = {"opened": opened, "epoch_tokens": sum(examples.lengths), "epochs": optimisation.epochs}
    return material.work(student, online.teacher.model if online else None), found


def measure_tokens(material: SentenceMaterial, clock: Clock) -> tuple[Work, dict[str, Any]]:
    """Train on the teacher's token vectors of the single texts until the clock stops; see `measure`. The cache is written before that."""
    job, found, params = material.job, material.sentences, material.params
    tokens = params.distill.embedding.tokens
    if tokens is None:
        raise CompactLMError("distill.embedding.tokens is null, so there is no training on token vectors; leave out this contender")
    single = [item[0] for item in material.items if len(item) == 1]
    sequences = encode(material.inputs.tokenizer, [material.texts.texts[at] for at in single], params.tokenize.maximum_length)
    rows = TaskRows([material.texts.ids[at] for at in single], sequences, [None] * len(single), [1.0] * len(single))
    student, directory = material.student().to(models.best_device()), Path(job.directory) / "token-vectors"
    directions = material.table.directions[: student.dense.out_features]
    online = OnlineTokens(found.teacher().model, material.inputs.id_map, directions, params.precision)
    write_cache(directory, rows, online, params.batch_tokens, job.title)
    examples = TokenExamples(rows, CachedSignals(directory, rows))
    variance = fit_tokens(student.eval(), examples)
    set_dropout(student, tokens.dropout)
    student.train_layers(True)
    objective = TokenObjective(student, variance, tokens.word_embeddings)
    many = tokens.model_copy(update={"epochs": EPOCHS})
    clock.run(lambda: train("tokens", objective, _CountedTokens(examples, clock), many, Settings(params.seed, params.precision)))
    return material.work(student), {"epoch_tokens": sum(examples.lengths), "epochs": tokens.epochs}


def _optimisation(section: EmbeddingDistillation, kind: str) -> Optimisation:
    """Return the settings of a kind of training, or those of the table if the preset has none for sentence vectors."""
    ordered = (section.table, section.optimisation) if kind == "table" else (section.optimisation, section.table)
    chosen = next((one for one in ordered if one), None)
    if chosen is None:
        raise CompactLMError("distill.embedding has neither optimisation nor table; set one of them in params.yaml")
    return chosen


def _size_of(mask: torch.Tensor) -> Size:
    return Size(len(mask), mask.shape[1], int(mask.sum()))


def measure_sentence_transformers(material: SentenceMaterial, clock: Clock) -> Work:
    """Train with SentenceTransformerTrainer and MSELoss until the clock stops it."""
    import datasets
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.losses import MSELoss

    student, directory = material.student(), Path(material.job.directory) / "sentence-transformers"
    models.save(student.bert, material.inputs.tokenizer, directory)
    weight, bias = (tensor.detach().numpy() for tensor in (student.dense.weight, student.dense.bias))
    write_modules(directory, dense=[Dense(weight, bias)], normalise=False, maximum_length=material.sentences.maximum_length)
    model = SentenceTransformer(str(directory), device=str(models.best_device()))
    online = material.sentences.online(material.texts)
    vectors = torch.cat(
        [online.vectors(range(at, min(at + ROWS, len(material.texts.ids)))) for at in range(0, len(material.texts.ids), ROWS)]
    )
    labels = vectors.cpu() @ material.table.directions[: student.dense.out_features].T
    rows = datasets.Dataset.from_dict({"sentence": list(material.texts.texts), "label": labels.tolist()})
    optimisation = _optimisation(material.params.distill.embedding, material.job.kind)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(directory / "run"),
        per_device_train_batch_size=ROWS,
        learning_rate=optimisation.learning_rate,
        max_steps=STEPS,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        seed=material.params.seed,
    )
    model.register_forward_pre_hook(lambda _, given: clock.supply_size(_size_of(given[0]["attention_mask"])))
    trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=rows, loss=MSELoss(model))
    clock.run(trainer.train)
    return material.work(student)
