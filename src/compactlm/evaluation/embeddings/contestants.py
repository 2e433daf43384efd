"""The sentence embeddings of student, teacher and static table."""

from __future__ import annotations

import functools
from pathlib import Path

from compactlm.bert.arrays import Array, unit
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.evaluation.embeddings.vectors import Cached, Embed, Texts
from compactlm.student.static_table import StaticTable


def load_encoder(directory: Path, batch_tokens: int, description: str) -> tuple[SentenceEncoder, Embed]:
    """Load a sentence encoder, and return it with its embedding.

    Raises:
        CompactLMError: a file is missing or damaged, or a module is of a kind that is not supported.
    """
    encoder = SentenceEncoder.load(directory)

    def embed(texts: Texts) -> Array:
        return unit(encoder.encode(texts, batch_tokens, description))

    return encoder, Cached(embed)


def load_static_table(path: Path, reader: SentenceEncoder, width: int) -> Embed:
    """Load a static table of the student's tokens, cut to `width` components. Texts are tokenized by the student's tokenizer.

    Raises:
        CompactLMError: the file is damaged.
    """
    table = StaticTable.read(path)

    def embed(texts: Texts) -> Array:
        found: Array = table.embed(reader.tokenize(texts), width).numpy()
        return found

    return Cached(embed)


def load_embeddings(student: Path, teacher: Path, table: Path, batch_tokens: int) -> dict[str, Embed]:
    """Return the embeddings `student`, `teacher` and, if there is a table, `static`.

    The static table gets as many components as the student's hidden states have, so it is as large as the student's word embeddings.

    Args:
        student: the directory of the student's sentence encoder.
        teacher: the directory of the teacher.
        table: the file of the static table.
        batch_tokens: tokens per batch, padding included.
    """
    load = functools.partial(load_encoder, batch_tokens=batch_tokens)
    encoder, of_student = load(student, description="student, sentence embedding")
    found = {"student": of_student, "teacher": load(teacher, description="teacher, sentence embedding")[1]}
    if table.is_file():
        found["static"] = load_static_table(table, encoder, encoder.model.config.hidden_size)
    return found
