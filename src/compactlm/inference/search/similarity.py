"""Find the nearest words of the vocabulary, or the nearest lines of a file, to a text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_whole
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.search.vector_index import Entry, VectorIndex, index_directory, open_file_index, open_index
from compactlm.text.formats.lines import read_lines


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """A word or a line near a text, its cosine similarity, -1 to 1, and its line number in the file, from 1."""

    text: str
    similarity: float
    line: int | None = None


def word_index(embedding: SentenceEmbedding) -> VectorIndex:
    """Return the index of the whole words in the vocabulary. It is built at first use and kept."""

    def words() -> list[Entry]:
        tokens = embedding.model.tokenizer.library.get_vocab()
        return [{"text": token} for token in sorted(tokens) if len(token) > 1 and token.isalpha()]

    directory = index_directory(f"words {embedding.model.directory.path.resolve()}")
    return open_index(directory, f"1 {embedding.fingerprint}", words, embedding.embed)


def line_index(embedding: SentenceEmbedding, path: Path) -> VectorIndex:
    """Return the index of the non-empty lines of a file. It is built at first use and kept.

    Raises:
        CompactLMError: the file cannot be read, or has no lines.
    """

    def lines() -> list[Entry]:
        found = [{"text": line.text.strip(), "line": line.number} for line in read_lines(str(path)) if line.text.strip()]
        if not found:
            raise CompactLMError(f"{path} has no text; pass a file with one text per line")
        return found

    return open_file_index(path, "lines ", None, embedding, lines)


def neighbours(embedding: SentenceEmbedding, index: VectorIndex, text: str, count: int) -> list[Neighbour]:
    """Return the `count` entries nearest to a text, the nearest first, without the text itself.

    Raises:
        CompactLMError: the text has no tokens, or `count` is less than 1.
    """
    check_whole("top_k", count, 1)
    itself, vector = text.strip().lower(), embedding.embed([text])[0]
    if not vector.any():
        raise CompactLMError("the text is empty; pass a word or a sentence")
    wanted = count + 1
    while True:
        hits = index.search(vector, wanted)
        found = [Neighbour(hit.entry["text"], hit.score, hit.entry.get("line")) for hit in hits if hit.entry["text"].lower() != itself]
        if len(found) >= count or len(hits) == len(index):
            return found[:count]
        wanted *= 4  # a file may hold the text many times
