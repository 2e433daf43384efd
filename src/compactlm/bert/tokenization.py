"""Turn texts into sequences of token ids, and count tokens."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from compactlm.artifacts import SECOND, SEQUENCE_SCHEMA, TARGET, Document
from compactlm.tasks import kind_of
from compactlm.tasks.base import Example, Task, TaskOfModel
from compactlm.tasks.segmenting import LibrarySegmenter

TEXTS_AT_ONCE = 1000
HISTOGRAM_STEP = 8  # tokens
PAIRS = TaskOfModel("classification", (), "accuracy", pair=True)  # the form of pairs that no task names


def encode(tokenizer: Any, texts: Sequence[str], maximum_length: int) -> list[list[int]]:
    """Return one sequence for each text, with [CLS] and [SEP], truncated to `maximum_length` tokens."""
    sequences: list[list[int]] = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        batch = list(texts[start : start + TEXTS_AT_ONCE])
        sequences.extend(tokenizer(batch, truncation=True, max_length=maximum_length)["input_ids"])
    return sequences


def all_tokens(tokenizer: Any, texts: Sequence[str], description: str) -> Iterator[list[int]]:
    """Yield the token ids of each text, not truncated and without special tokens."""
    with tqdm(total=len(texts), desc=description, unit="row", mininterval=0.5) as bar:
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            batch = list(texts[start : start + TEXTS_AT_ONCE])
            yield from tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]
            bar.update(len(batch))


def windows(tokens: Sequence[int], tokenizer: Any, maximum_length: int) -> list[list[int]]:
    """Split a text into sequences that do not overlap and together hold every token, each with [CLS] and [SEP]."""
    inner = maximum_length - 2
    parts = [tokens[start : start + inner] for start in range(0, len(tokens), inner)]
    return [[tokenizer.cls_token_id, *part, tokenizer.sep_token_id] for part in parts]


@dataclasses.dataclass
class Statistics:
    """Counts over sequences. A word is a token and the continuations (##) that follow it."""

    rows: int = 0
    sequences: int = 0
    tokens: int = 0
    words: int = 0
    unknown: int = 0
    cut: int = 0
    lengths: Counter[int] = dataclasses.field(default_factory=Counter)

    def metrics(self) -> dict[str, float]:
        """Return the counts, the share of unknown tokens, the tokens per word and the mean length of a sequence."""
        return {
            "rows": self.rows,
            "sequences": self.sequences,
            "tokens": self.tokens,
            "unknown_rate": self.unknown / max(self.tokens, 1),
            "tokens_a_word": self.tokens / max(self.words, 1),
            "mean_length": self.tokens / max(self.sequences, 1),
            "cut_rows": self.cut,
        }

    def histogram(self) -> list[tuple[int, int]]:
        """Return lengths without special tokens, rounded down to multiples of HISTOGRAM_STEP, each with its number of sequences."""
        return sorted(self.lengths.items())


def tokenize_documents(
    tokenizer: Any,
    documents: Sequence[Document],
    maximum_length: int,
    description: str,
    tasks: Mapping[str, Task] | None = None,
    unlabelled: Mapping[str, Task] | None = None,
) -> tuple[list[dict[str, Any]], Statistics]:
    """Turn documents into rows of artifacts.SEQUENCE_SCHEMA.

    A labelled text becomes one sequence, truncated if it is too long. An unlabelled text is split into as many sequences as it needs. For
    pairs, and for kinds of task other than classification, the kind decides. The id of a sequence is the document's id, a dot and a number.

    Args:
        tokenizer: a tokenizer of transformers.
        documents: labelled and unlabelled rows.
        maximum_length: the most tokens of a sequence; a task may have its own.
        description: the description of the progress bar.
        tasks: the tasks of labelled rows by name; a row of any other task is treated as a text with a label.
        unlabelled: the tasks that use the unlabelled rows of a source, by source.
    """
    continuation = {index for token, index in tokenizer.get_vocab().items() if token.startswith("##")}
    statistics, rows = Statistics(rows=len(documents)), []
    tasks, unlabelled = tasks or {}, unlabelled or {}
    # The rows that are no plain texts, with the task by whose kind they are encoded.
    formed = {row.id: task for row in documents if (task := _task_of(row, tasks, unlabelled)) is not None}
    encoded = _encode_rows(tokenizer, documents, formed, maximum_length)
    all_of_them = all_tokens(tokenizer, [document.text for document in documents], description)
    for document, tokens in zip(documents, all_of_them, strict=True):
        if document.id in formed:
            examples = encoded[document.id]
        else:
            own = tasks.get(document.task or "")
            examples = [Example(ids) for ids in windows(tokens, tokenizer, (own.maximum_length if own else None) or maximum_length)]
            if document.task is not None and len(examples) > 1:
                examples = examples[:1]
                statistics.cut += 1
        stored = document.id in formed and kind_of(formed[document.id]).stores_target
        for number, example in enumerate(examples):
            inner = [token for token in example.input_ids[1:-1] if token != tokenizer.sep_token_id]
            statistics.sequences += 1
            statistics.tokens += len(inner)
            statistics.words += sum(token not in continuation for token in inner)
            statistics.unknown += inner.count(tokenizer.unk_token_id)
            statistics.lengths[len(inner) // HISTOGRAM_STEP * HISTOGRAM_STEP] += 1
            rows.append(
                {
                    "id": f"{document.id}.{number}",
                    "source": document.source,
                    "task": document.task,
                    "label": document.label,
                    "input_ids": example.input_ids,
                    "second": example.second,
                    "target": example.target if stored else None,
                }
            )
    return rows, statistics


def sequence_schema(rows: Sequence[Mapping[str, Any]]) -> pa.Schema:
    """Return artifacts.SEQUENCE_SCHEMA without the optional columns that are empty in all rows."""
    used = [field for field in (SECOND, TARGET) if any(row[field.name] is not None for row in rows)]
    return functools.reduce(pa.Schema.append, used, SEQUENCE_SCHEMA)


def _task_of(row: Document, tasks: Mapping[str, Task], unlabelled: Mapping[str, Task]) -> Task | None:
    """Return the task whose kind encodes a row; None for a plain text."""
    if row.task is not None:
        task = tasks.get(row.task)
        return None if task is None or (not kind_of(task).stores_target and not task.pair) else task
    task = unlabelled.get(row.source)
    if task is not None and kind_of(task).accepts(row, task) and (task.pair or kind_of(task).per_token):
        return task
    return PAIRS if row.pair is not None else None


def _encode_rows(
    tokenizer: Any, documents: Sequence[Document], formed: Mapping[str, Task], maximum_length: int
) -> dict[str, list[Example]]:
    segmenter, found = LibrarySegmenter(tokenizer.backend_tokenizer), dict[str, list[Example]]()
    for task in {id(task): task for task in formed.values()}.values():
        rows = [row for row in documents if formed.get(row.id) is task]
        encoded = kind_of(task).encode(segmenter, rows, task, task.maximum_length or maximum_length)
        found.update((row.id, kind_of(task).trained(parts, row)) for row, parts in zip(rows, encoded, strict=True))
    return found
