"""Estimate the minutes, memory and disk of a run from the stage teacher on, by the split rows and the speed of this machine.

The estimate counts the multiply-adds of the layers. It assumes that training reaches the same share of the speed of a matrix product as on
several machines on which it was measured. It should be right within a factor of two.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import Params, Task
from compactlm.shapes.budget import choose_vocabulary_size, parameters_of
from compactlm.tasks import kind_of

CHARACTERS_A_TOKEN = 4.4  # of English text in WordPiece
HEAD = 1.2  # the head for masked words, on a fifth of the tokens, adds this much
READING = {"torch": 1.0, "onnx": 0.8, "onnx_int8": 0.35}  # the time of a runtime of signals relative to torch
TRAINING = 3  # passes: forward, and backward for inputs and weights
WIDE, NARROW = 0.6, 0.25  # the share of the speed of a matrix product that layers reach, from and below 256 units
STATES = 16  # bytes a trained parameter: weight, gradient and two moments in fp32
ACTIVATIONS = 14 * 4  # bytes a token, layer and unit that training keeps
PROGRAM = 1.2  # gigabytes of Python, torch and transformers
ROW_BYTES = 2_000  # of a row as Python objects, in all forms together
COPIES = 2  # DVC keeps each artifact in its cache, too
OTHER_MINUTES = 1.5  # starts of stages and other work that does not depend on the amount of text


@dataclasses.dataclass(frozen=True)
class Shape:
    """The shape of a BERT: number of layers, width, inner width and number of parameters."""

    layers: int
    width: int
    inner: int
    parameters: int

    @property
    def operations(self) -> float:
        """Floating-point operations per token in a forward pass, without attention scores."""
        return 2.0 * self.layers * (4 * self.width**2 + 2 * self.width * self.inner)

    def seconds(self, tokens: float, passes: float, speed: float) -> float:
        """Return the seconds that these tokens take, if a matrix product has `speed` operations per second."""
        return tokens * passes * self.operations / (speed * (WIDE if self.width >= 256 else NARROW))


@dataclasses.dataclass(frozen=True)
class Expected:
    """The estimated cost of a run. Minutes are by stage."""

    minutes: Mapping[str, float]
    memory_gigabytes: float
    disk_gigabytes: float

    def sentence(self) -> str:
        """Return the estimate as a sentence."""
        parts = ", ".join(f"{stage} {minutes:.0f}" for stage, minutes in self.minutes.items() if minutes >= 1)
        total = max(1, round(sum(self.minutes.values())))
        space = f"{self.memory_gigabytes:.1f} GB of memory and {self.disk_gigabytes:.1f} GB of disk"
        return (
            f"Expected from the stage teacher on: about {total} minutes ({parts or 'each stage below 1'}), {space}, at the speed of this "
            "machine now."
        )


def expect(params: Params, speed: float, teacher: Shape | None = None) -> Expected:
    """Estimate the cost of the stages from the teacher on.

    Args:
        params: the parameters; the rows are those of data/split.
        speed: operations per second of a matrix product, from `measure_speed`.
        teacher: its shape; by default it is guessed from its number of parameters.

    Raises:
        FileNotFoundError: there are no split rows.
    """
    teacher = teacher or guess_shape(params.teacher.parameters)
    student = _student(params, teacher)
    tasks = {name: _tokens(params, name, task) for name, task in params.tasks.items()}
    rows = {split: len(artifacts.read_table(artifacts.SPLIT / split)) for split in artifacts.SPLITS}
    general = min(params.signals.general.sequences, rows["train"] * 2) * params.tokenize.maximum_length * 0.7
    embedding = _embedding_tokens(params) if params.distill.embedding.enabled is not False else 0.0
    copied = 1 + params.augment.copies
    own = {name: counts["train"] * copied + _unlabelled(params, params.tasks[name]) for name, counts in tasks.items()}
    fine_tuning, distilling = params.teacher.fine_tuning.optimisation, params.distill.task.optimisation
    teaching = sum(tasks[name]["train"] * task.teacher.applied(fine_tuning).epochs for name, task in params.tasks.items())
    learning = sum(own[name] * task.student.applied(distilling).epochs for name, task in params.tasks.items())
    online = params.signals.source == "online"
    seconds = {
        "teacher": teacher.seconds(teaching, TRAINING, speed),
        "augment": teacher.seconds(sum(counts["train"] for counts in tasks.values()) * params.augment.copies, 1, speed),
        "signals": 0.0 if online else teacher.seconds(_read(params, sum(own.values()), embedding), 1, speed),
        "distill-train": student.seconds(general * params.distill.general.optimisation.epochs, TRAINING * HEAD, speed)
        + student.seconds(embedding * _embedding_epochs(params) + learning, TRAINING, speed)
        + (teacher.seconds(learning, 1, speed) if online else 0.0),
        "evaluate": sum(shape.seconds(_evaluated(params, tasks, rows), 1, speed) for shape in (teacher, student)) + _timing_seconds(params),
    }
    minutes = {stage: found / 60 for stage, found in seconds.items()} | {"other stages": OTHER_MINUTES}
    return Expected(minutes, _memory(params, teacher, rows), _disk(params, teacher, student, sum(own.values()), embedding, general))


def measure_speed(threads: int, seconds: float = 0.5) -> float:
    """Return the floating-point operations per second of a matrix product in fp32, with this number of threads."""
    import torch  # imported late, because it takes seconds

    torch.set_num_threads(threads)
    left, right = torch.rand(512, 768), torch.rand(768, 768)
    left @ right
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        left @ right
        count += 1
    return count * 2 * 512 * 768 * 768 / (time.perf_counter() - start)


def guess_shape(parameters: int | None) -> Shape:
    """Guess the shape of a teacher from its size: MiniLM's shape with 6 layers, or bert-base's shape scaled to the parameters."""
    if parameters is not None and parameters < 40_000_000:
        return Shape(6, 384, 1536, parameters)
    return Shape(12, 768, 3072, parameters or 109_483_778)


def read_shape(directory: Path) -> Shape | None:
    """Return the shape of a model in a local directory; None if there is none."""
    path = directory / "config.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        width, layers, inner = (int(found[name]) for name in ("hidden_size", "num_hidden_layers", "intermediate_size"))
        body = layers * (4 * width**2 + 2 * width * inner)
        return Shape(layers, width, inner, body + width * (int(found["vocab_size"]) + int(found["max_position_embeddings"])))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise CompactLMError(f"{path} does not describe a BERT; fetch or save the teacher again") from None


def _student(params: Params, teacher: Shape) -> Shape:
    shape = params.student
    vocabulary = choose_vocabulary_size(shape, teacher.parameters, params.outputs)
    return Shape(shape.layers, shape.hidden_size, shape.intermediate_size, parameters_of(shape, vocabulary, params.outputs))


def _tokens(params: Params, name: str, task: Task) -> dict[str, float]:
    """Return the number of tokens of each split that a task's model reads."""
    longest, found = task.length(params.tokenize.maximum_length), {}
    for split in artifacts.SPLITS:
        documents = [row for row in artifacts.read_documents(artifacts.SPLIT / split) if row.task == name]
        sizes = [(len(row.text) + len(row.pair or "")) / CHARACTERS_A_TOKEN + 3 for row in documents]
        # Kinds with outputs for tokens read a long text in several windows, the others cut it.
        found[split] = sum(sizes) if kind_of(task).per_token else sum(min(size, longest) for size in sizes)
    return found


def _unlabelled(params: Params, task: Task) -> float:
    named = params.signals.task.unlabelled if task.unlabelled is None else task.unlabelled
    return params.signals.task.unlabelled_sequences * task.length(params.tokenize.maximum_length) * 0.7 if named else 0.0


def _read(params: Params, of_tasks: float, of_embedding: float) -> float:
    """Return the number of tokens for which torch takes as long as the teacher's runtimes take for these."""
    return of_tasks * READING[params.signals.task.runtime] + of_embedding * READING[params.signals.embedding.runtime]


def _embedding_tokens(params: Params) -> float:
    texts = params.signals.embedding
    return 60.0 * texts.passages + 14.0 * texts.questions + 30.0 * (texts.rows + texts.sentences) + 5.0 * (texts.phrases + texts.words)


def _embedding_epochs(params: Params) -> int:
    embedding = params.distill.embedding
    return sum(part.epochs for part in (embedding.optimisation, embedding.tokens) if part)


def _evaluated(params: Params, tasks: Mapping[str, dict[str, float]], rows: Mapping[str, int]) -> float:
    perturbed = 10 * params.evaluate.robustness.rows * params.tokenize.maximum_length * 0.5 * len(tasks)
    words = (params.evaluate.mlm_words * (1 + 0.5 * len(tasks)) + params.evaluate.pseudo_perplexity.rows_a_source * 60) * 40
    return sum(counts["test"] for counts in tasks.values()) + perturbed + words + rows["test"] * 10


def _timing_seconds(params: Params) -> float:
    return 3 * (params.evaluate.timings.seconds * len(params.evaluate.timings.batches) + 6)


def _memory(params: Params, teacher: Shape, rows: Mapping[str, int]) -> float:
    batch = params.teacher.fine_tuning.optimisation.batch_tokens
    learning = teacher.parameters * STATES + batch * teacher.layers * teacher.width * ACTIVATIONS
    return PROGRAM + (learning + sum(rows.values()) * ROW_BYTES) / 1e9


def _disk(params: Params, teacher: Shape, student: Shape, of_tasks: float, embedding: float, general: float) -> float:
    kept = params.signals.layers if isinstance(params.signals.layers, int) else len(params.signals.layers)
    tokens = 0.0 if params.signals.source == "online" else of_tasks * kept
    texts = params.signals.embedding.token_texts * 30 * params.student.hidden_size * 2 + embedding * 2
    models = 4 * (teacher.parameters * (1 + len(params.tasks)) + student.parameters * 2.3 * (2 + len(params.tasks)))
    text = sum(path.stat().st_size for split in artifacts.SPLITS for path in artifacts.parts(artifacts.SPLIT / split)) * 5
    return COPIES * (tokens * teacher.width * 2 + texts + models + text + general) / 1e9
