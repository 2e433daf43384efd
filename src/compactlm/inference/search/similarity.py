"""What is near a text: words of the vocabulary, or lines of a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.search.vector_index import Entry, VectorIndex, file_digest, index_directory, open_index
from compactlm.text.lines import read_lines


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """A word or a line near a text: its cosine similarity, -1 to 1, and where it stands in its file, from 1."""

    text: str
    similarity: float
    line: int | None = None


def word_index(embedding: SentenceEmbedding) -> VectorIndex:
    """Return the index of the vocabulary's whole words, built at the first time and kept."""
    pieces = embedding.model.pieces

    def words() -> list[Entry]:
        # A word of one piece can also be a letter or a fragment that merely has no ## before it.
        found = sorted(piece for piece in pieces.tokenizer.get_vocab() if len(piece) > 1 and piece.isalpha())
        return [{"text": word} for word in found]

    directory = index_directory(f"words {embedding.model.directory.path.resolve()}")
    return open_index(directory, f"1 {embedding.fingerprint}", words, embedding.embed)


def line_index(embedding: SentenceEmbedding, path: Path) -> VectorIndex:
    """Return the index of a file's lines that are not empty, built at the first time and kept.

    Raises:
        CompactLMError: the file cannot be read, or has no lines.
    """

    def lines() -> list[Entry]:
        found = [{"text": line.text.strip(), "line": line.number} for line in read_lines(str(path)) if line.text.strip()]
        if not found:
            raise CompactLMError(f"{path} has no lines; name a file with a text a line")
        return found

    try:
        digest = file_digest(path)
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); name a readable file") from None
    directory = index_directory(f"lines {path.resolve()} {embedding.model.directory.path.resolve()}")
    return open_index(directory, f"1 {digest} {embedding.fingerprint}", lines, embedding.embed)


def neighbours(embedding: SentenceEmbedding, index: VectorIndex, text: str, count: int) -> list[Neighbour]:
    """Return the `count` nearest to a text, the text itself left out, the nearest first.

    Raises:
        CompactLMError: the text has no piece, so that nothing is nearer to it than anything else.
    """
    itself, vector = text.strip().lower(), embedding.embed([text])[0]
    if not vector.any():
        raise CompactLMError("the text is empty; give a word or a sentence to find what is near it")
    wanted = count + 1
    while True:
        hits = index.search(vector, wanted)
        found = [Neighbour(hit.entry["text"], hit.score, hit.entry.get("line")) for hit in hits if hit.entry["text"].lower() != itself]
        if len(found) >= count or len(hits) == len(index):
            return found[:count]
        wanted *= 4  # a file may hold the text many times
