"""The section of ingest: the sources of text, and which of their columns hold what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, StrictBool, StrictStr

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


class Limit(Section):
    """A maximum of rows and of characters; null sets none."""

    rows: Count | None
    characters: Count | None


def _limit_rule(value: Any) -> str:
    return "rows and characters" if isinstance(value, dict | Limit) else "rows"


class SourceBase(Section):
    """What every source has, whatever its kind. `limit` is a maximum of rows, or `{rows: ..., characters: ...}`; null sets none.

    The rows that stay are drawn by seed and id; of a streamed data set of the hub they are the first ones.
    """

    columns: Columns
    limit: Annotated[
        Annotated[Limit, pydantic.Tag("rows and characters")] | Annotated[Count | None, pydantic.Tag("rows")],
        pydantic.Discriminator(_limit_rule),
    ]
    licence: StrictStr
    homepage: StrictStr

    @property
    def maximum_rows(self) -> int | None:
        """The greatest number of rows, None for all."""
        return self.limit.rows if isinstance(self.limit, Limit) else self.limit

    @property
    def maximum_characters(self) -> int | None:
        """The greatest number of characters, None for all."""
        return self.limit.characters if isinstance(self.limit, Limit) else None


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
    """Local files: a path or glob; what gzip or Zstandard has packed is unpacked on the fly. `sha256` pins a single file."""

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
