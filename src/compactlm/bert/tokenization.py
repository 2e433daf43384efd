"""Text to sequences of token ids, and statistics of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from compactlm.artifacts import Document

TEXTS_AT_ONCE = 1000
HISTOGRAM_STEP = 8  # tokens


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
        """Return the counts, the share of unknown tokens, the tokens of a word and the mean length of a sequence."""
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
    tokenizer: Any, documents: Sequence[Document], maximum_length: int, description: str
) -> tuple[list[dict[str, Any]], Statistics]:
    """Turn documents into rows of artifacts.SEQUENCE_SCHEMA.

    A labelled document becomes one sequence and is truncated if it is too long; an unlabelled document becomes as many as it fills.
    The id of a sequence is the document's id, a dot and a number.
    """
    continuation = {index for token, index in tokenizer.get_vocab().items() if token.startswith("##")}
    statistics, rows = Statistics(rows=len(documents)), []
    all_of_them = all_tokens(tokenizer, [document.text for document in documents], description)
    for document, tokens in zip(documents, all_of_them, strict=True):
        sequences = windows(tokens, tokenizer, maximum_length)
        if document.task is not None and len(sequences) > 1:
            sequences = sequences[:1]
            statistics.cut += 1
        for number, sequence in enumerate(sequences):
            inner = sequence[1:-1]
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
                    "input_ids": sequence,
                }
            )
    return rows, statistics
