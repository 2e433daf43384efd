"""The meaning of the columns of a source: texts, documents, attributes, queries, and targets of tasks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, StrictBool, StrictStr, model_validator

from compactlm.params.base import Count, Name, Number, Section
from compactlm.params.expressions import check_expression


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


def form_of(value: Any) -> str:
    """Return the tag of a value: whether it is written as a section or in short form."""
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
    Annotated[DocumentPart, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(form_of)
]


class JoinedColumns(Section):
    """A text that joins several columns with `separator`; empty columns are skipped."""

    columns: Annotated[list[Column], Field(min_length=1)]
    separator: StrictStr


TextColumns = Annotated[
    Annotated[JoinedColumns, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(form_of)
]


class QueryLines(Section):
    """One query for each line of the column `lines_of`; what the regular expression `prefix` matches at the start of a line is removed."""

    lines_of: Column
    prefix: StrictStr | None

    @model_validator(mode="after")
    def _can_be_used(self) -> QueryLines:
        check_expression(self.prefix or "", "the prefix")
        return self


QueryColumn = Annotated[
    Annotated[QueryLines, pydantic.Tag("in detail")] | Annotated[Column, pydantic.Tag("in short")], pydantic.Discriminator(form_of)
]


class LabelList(Section):
    """Several labels from a column: a list, or a text with `separator` between labels. `names` maps values of the data to labels."""

    column: Column
    separator: Annotated[StrictStr, Field(min_length=1)] | None = None
    names: Annotated[dict[StrictStr, StrictStr] | None, pydantic.BeforeValidator(_names)] = None


class LabelColumns(Section):
    """Several labels, each from its own column. A row has a label if the number in its column is greater than `threshold`.

    Without a threshold, the columns hold true and false, or 1 and 0.
    """

    columns: Annotated[dict[StrictStr, Column], Field(min_length=2)]
    threshold: Number | None = None


def _labels_rule(value: Any) -> str:
    return "by columns" if isinstance(value, LabelColumns) or (isinstance(value, dict) and "columns" in value) else "by list"


def _column_of(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | Section) else {"column": value}


LabelsRule = Annotated[
    Annotated[LabelColumns, pydantic.Tag("by columns")] | Annotated[LabelList, pydantic.Tag("by list")],
    pydantic.Discriminator(_labels_rule),
]


class TagList(Section):
    """The tags of the words from a column: a list, or a text with white space between tags. `names` maps values of the data to tags."""

    column: Column
    names: Annotated[dict[StrictStr, StrictStr] | None, pydantic.BeforeValidator(_names)] = None


class AnswerText(Section):
    """The answer to the question about a text.

    An empty cell, an empty list, and a text in `none` mean that the question has no answer in the text. In a list, only the first answer is
    used. Without the column `answer_start`, the answer is searched in the text: `exact` searches it unchanged, `loose` compares only
    letters and digits, and `beginning` takes the longest beginning of the cell that occurs in the text and has at least `minimum_words`
    words. A row whose answer is not found is an error, or (`skip`) left out and counted.
    """

    column: Column
    none: list[StrictStr] = Field(default_factory=list)
    match: Literal["exact", "loose", "beginning"] = "exact"
    minimum_words: Count = 1
    not_found: Literal["refuse", "skip"] = "refuse"


class Columns(Section):
    """The columns of a source, each by name, by a path into nested fields (answers.0.text) or, without a header, by position from 0.

    `document` is the column with the document of a row. Rows of one document go to the same split. With null, each row is its own document.
    `attributes` maps the names of protected attributes (bias_audit.attributes) to columns. `queries` is a column with one or more texts
    that belong to the text, such as a question that it answers or its summary.

    The other columns are for tasks. `pair` has the second text of a pair, or the question about the text. One of `label`, `labels`,
    `score`, `words` with `tags`, or `answer` has the target. `words` is a list, or a text with white space between words. The words are
    also the text of such a row, so `text` may be null. `answer_start` has the position of the answer in characters. With `unlabelled:
    true`, a row with an empty target is unlabelled text. `parts` splits a row into several: each column listed there is cut where its
    regular expression matches, each part goes to a row of its own, and all other columns are repeated.
    """

    text: TextColumns | None
    document: DocumentKey | None
    label: LabelRule | None
    attributes: dict[Name, Column]
    queries: QueryColumn | None
    pair: Column | None = None
    labels: Annotated[LabelsRule | None, pydantic.BeforeValidator(_column_of)] = None
    score: Column | None = None
    words: Column | None = None
    tags: Annotated[TagList | None, pydantic.BeforeValidator(_column_of)] = None
    answer: Annotated[AnswerText | None, pydantic.BeforeValidator(_column_of)] = None
    answer_start: Column | None = None
    unlabelled: StrictBool = False
    parts: Annotated[dict[StrictStr, StrictStr], Field(default_factory=dict)]

    @model_validator(mode="before")
    @classmethod
    def _words_are_a_text(cls, content: Any) -> Any:
        return content | {"text": None} if isinstance(content, dict) and "words" in content and "text" not in content else content

    @model_validator(mode="after")
    def _fit_together(self) -> Columns:
        if self.text is None and self.words is None:
            raise ValueError("text is null; name the column of the text, or that of the words")
        if self.text is not None and self.words is not None:
            raise ValueError("text and words are both set, but the words of a row are its text; set text to null")
        if self.tags is not None and self.words is None:
            raise ValueError("tags is set, but words is null; name the column of the words")
        if self.answer_start is not None and self.answer is None:
            raise ValueError("answer_start is set, but answer is null; name the column of the answer's text")
        if self.answer is not None and self.pair is None:
            raise ValueError("answer is set, but pair is null; name the column of the question in pair")
        for column, pattern in self.parts.items():
            check_expression(pattern, f"parts.{column}")
        return self


def _label_of_column(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | Section) else {"column": value, "names": None}


class FileColumns(Columns):
    """The columns of a local file. Only `text` or `words` is required. A label can be just the name of its column."""

    document: DocumentKey | None = None
    label: Annotated[LabelRule | None, pydantic.BeforeValidator(_label_of_column)] = None
    attributes: dict[Name, Column] = Field(default_factory=dict)
    queries: QueryColumn | None = None
