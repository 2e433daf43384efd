"""The typed form of params.yaml.

Unknown keys, wrong types and impossible combinations are refused here, before any work starts. The message is one sentence that says how to
fix them. Each stage has the section with its name. There are no defaults in the code, so params.yaml shows everything that an experiment
depends on. Nothing is computed here: stages get the values in params.yaml and in the files that it names.
"""

from compactlm.params.base import Count, CountOrZero, Number, Section
from compactlm.params.columns import (
    AnswerText,
    ColumnLabel,
    Columns,
    DocumentPart,
    FileColumns,
    JoinedColumns,
    LabelColumns,
    LabelList,
    QueryLines,
    TagList,
    ThresholdLabel,
)
from compactlm.params.data import Augment, Clean, Data, DiversityFigures, NearDuplicates, ReservedKind, Sentences, Split
from compactlm.params.distill import (
    EmbeddingDistillation,
    EmbeddingSignals,
    GeneralDistillation,
    Losses,
    SentenceLoss,
    SharpenedLoss,
    TaskDistillation,
)
from compactlm.params.fairness import Attribute, BiasAudit, DataLimits, ModelLimits, StereotypeTemplates
from compactlm.params.filters import FilterSettings, PersonalKind
from compactlm.params.models import DirectoryTeacher, FineTuning, HubTeacher, Optimisation, PackageTeacher, Student, TeacherSource
from compactlm.params.reading import PARAMS_FILE, ParamsError, parse_params, read_params
from compactlm.params.results import Bootstrap, EmbeddingFigures, Energy, Evaluate, Export, Robustness, Slices
from compactlm.params.sources import (
    FilesSource,
    Format,
    HubSource,
    Ingest,
    Limit,
    PackageArchive,
    PackageSource,
    Source,
)
from compactlm.params.whole import Params, Task

__all__ = [
    "PARAMS_FILE",
    "AnswerText",
    "Attribute",
    "Augment",
    "BiasAudit",
    "Bootstrap",
    "Clean",
    "ColumnLabel",
    "Columns",
    "Count",
    "CountOrZero",
    "Data",
    "DataLimits",
    "DirectoryTeacher",
    "DiversityFigures",
    "DocumentPart",
    "EmbeddingDistillation",
    "EmbeddingFigures",
    "EmbeddingSignals",
    "Energy",
    "Evaluate",
    "Export",
    "FileColumns",
    "FilesSource",
    "FilterSettings",
    "FineTuning",
    "Format",
    "GeneralDistillation",
    "HubSource",
    "HubTeacher",
    "Ingest",
    "JoinedColumns",
    "LabelColumns",
    "LabelList",
    "Limit",
    "Losses",
    "ModelLimits",
    "NearDuplicates",
    "Number",
    "Optimisation",
    "PackageArchive",
    "PackageSource",
    "PackageTeacher",
    "Params",
    "ParamsError",
    "PersonalKind",
    "QueryLines",
    "ReservedKind",
    "Robustness",
    "Section",
    "SentenceLoss",
    "Sentences",
    "SharpenedLoss",
    "Slices",
    "Source",
    "Split",
    "StereotypeTemplates",
    "Student",
    "TagList",
    "Task",
    "TaskDistillation",
    "TeacherSource",
    "ThresholdLabel",
    "parse_params",
    "read_params",
]
