"""The one typed reading of params.yaml.

Unknown keys, wrong types and impossible combinations are refused here, before any work starts, in a sentence
that says how to mend it. Each stage has the section of its name; there are no defaults in the code, so that
params.yaml shows everything that an experiment depends on.
"""

from compactlm.params.base import Count, CountOrZero, Fraction, Name, NotNegative, Number, Positive, Section
from compactlm.params.data import Attribute, Augment, BiasAudit, Clean, Split, Tokenize
from compactlm.params.models import (
    DirectoryTeacher,
    Distill,
    FineTuning,
    GeneralDistillation,
    HubTeacher,
    MlmHead,
    Optimisation,
    PackageTeacher,
    Student,
    TaskDistillation,
    Teacher,
    TeacherSource,
)
from compactlm.params.reading import PARAMS_FILE, ParamsError, parse_params, read_params
from compactlm.params.results import Evaluate, Export
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
    LabelRule,
    PackageArchive,
    PackageSource,
    Sha256,
    Source,
    SourceBase,
    ThresholdLabel,
)
from compactlm.params.tasks import Task
from compactlm.params.whole import RESERVED, Params

__all__ = [
    "PARAMS_FILE",
    "RESERVED",
    "Attribute",
    "Augment",
    "BiasAudit",
    "Clean",
    "Column",
    "ColumnLabel",
    "Columns",
    "Count",
    "CountOrZero",
    "DirectoryTeacher",
    "Distill",
    "DocumentKey",
    "DocumentPart",
    "Evaluate",
    "Export",
    "FilesSource",
    "FineTuning",
    "Format",
    "Fraction",
    "GeneralDistillation",
    "HubSource",
    "HubTeacher",
    "Ingest",
    "LabelRule",
    "MlmHead",
    "Name",
    "NotNegative",
    "Number",
    "Optimisation",
    "PackageArchive",
    "PackageSource",
    "PackageTeacher",
    "Params",
    "ParamsError",
    "Positive",
    "Section",
    "Sha256",
    "Source",
    "SourceBase",
    "Split",
    "Student",
    "Task",
    "TaskDistillation",
    "Teacher",
    "TeacherSource",
    "ThresholdLabel",
    "Tokenize",
    "parse_params",
    "read_params",
]
