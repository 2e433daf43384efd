"""The one typed reading of params.yaml.

Unknown keys, wrong types and impossible combinations are refused here, before any work starts, in a sentence
that says how to mend it. Each stage has the section of its name; there are no defaults in the code, so that
params.yaml shows everything that an experiment depends on.
"""

from compactlm.params.base import Count, CountOrZero, Fraction, Name, NotNegative, Number, Positive, Section
from compactlm.params.data import Augment, Clean, Data, DiversityFigures, ReservedKind, Sentences, Split, Tokenize
from compactlm.params.distill import (
    AttentionLoss,
    Distill,
    EmbeddingLoss,
    GeneralDistillation,
    HiddenLoss,
    LayerMap,
    Losses,
    RelationLoss,
    TaskDistillation,
)
from compactlm.params.duplicates import NearDuplicates
from compactlm.params.fairness import Attribute, BiasAudit, Bootstrap, DataLimits, Gate, ModelLimits, StereotypeTemplates
from compactlm.params.filters import FilterSettings, PersonalKind
from compactlm.params.reading import PARAMS_FILE, ParamsError, parse_params, read_params
from compactlm.params.results import Energy, Evaluate, Export, PseudoPerplexity, Robustness, Slices, Strengths, Timings
from compactlm.params.signals import GeneralSignals, Signals, TaskSignals
from compactlm.params.sources import (
    Column,
    ColumnLabel,
    Columns,
    DocumentKey,
    DocumentPart,
    FilesSource,
    Format,
    HubSource,
    Ingest,
    JoinedColumns,
    LabelRule,
    Limit,
    PackageArchive,
    PackageSource,
    Sha256,
    Source,
    SourceBase,
    ThresholdLabel,
)
from compactlm.params.student import Student
from compactlm.params.tasks import Task
from compactlm.params.teacher import DirectoryTeacher, FineTuning, HubTeacher, MlmHead, Optimisation, PackageTeacher, Teacher, TeacherSource
from compactlm.params.whole import RESERVED, Params

__all__ = [
    "PARAMS_FILE",
    "RESERVED",
    "AttentionLoss",
    "Attribute",
    "Augment",
    "BiasAudit",
    "Bootstrap",
    "Clean",
    "Column",
    "ColumnLabel",
    "Columns",
    "Count",
    "CountOrZero",
    "Data",
    "DataLimits",
    "DirectoryTeacher",
    "Distill",
    "DiversityFigures",
    "DocumentKey",
    "DocumentPart",
    "EmbeddingLoss",
    "Energy",
    "Evaluate",
    "Export",
    "FilesSource",
    "FilterSettings",
    "FineTuning",
    "Format",
    "Fraction",
    "Gate",
    "GeneralDistillation",
    "GeneralSignals",
    "HiddenLoss",
    "HubSource",
    "HubTeacher",
    "Ingest",
    "JoinedColumns",
    "LabelRule",
    "LayerMap",
    "Limit",
    "Losses",
    "MlmHead",
    "ModelLimits",
    "Name",
    "NearDuplicates",
    "NotNegative",
    "Number",
    "Optimisation",
    "PackageArchive",
    "PackageSource",
    "PackageTeacher",
    "Params",
    "ParamsError",
    "PersonalKind",
    "Positive",
    "PseudoPerplexity",
    "RelationLoss",
    "ReservedKind",
    "Robustness",
    "Section",
    "Sentences",
    "Sha256",
    "Signals",
    "Slices",
    "Source",
    "SourceBase",
    "Split",
    "StereotypeTemplates",
    "Strengths",
    "Student",
    "Task",
    "TaskDistillation",
    "TaskSignals",
    "Teacher",
    "TeacherSource",
    "ThresholdLabel",
    "Timings",
    "Tokenize",
    "parse_params",
    "read_params",
]
