"""What questions are answered from: question and answer pairs, or passages of documents."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.search.vector_index import Entry, VectorIndex, file_digest, index_directory, open_index
from compactlm.text.lines import Line, read_lines, read_objects
from compactlm.text.unicode import encodable

PASSAGE_WORDS = 60  # few enough that the mean of a passage still says what it is about
# Two wordings of one question are nearer to each other than a question is to the passage that answers it.
PAIR_THRESHOLD, PASSAGE_THRESHOLD = 0.5, 0.3
# That would be read as one odd passage: rows of other formats, and files that a word processor or an archiver writes.
OTHER_FORMATS = (".csv", ".tsv", ".json", ".parquet", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".gz", ".zip")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclasses.dataclass(frozen=True)
class Answer:
    """The best answer to a question.

    Attributes:
        text: the answer, or None where nothing is near enough to the question.
        score: the cosine similarity of the question and what was found, -1 to 1.
        source: the question that the answer belongs to, or None for a passage.
        line: where the answer stands in its file, from 1.
    """

    text: str | None
    score: float
    source: str | None
    line: int | None


class Knowledge:
    """A file of answers, indexed by the embeddings of its questions or passages.

    Attributes:
        broken: rows that were left out when the index was built, for they have neither question and answer nor text.
        unreadable: lines of text that were then read with U+FFFD in the place of bytes that are not valid UTF-8.
    """

    def __init__(self, path: Path, embedding: SentenceEmbedding, index: Path | None = None) -> None:
        """Open the file's index, built at the first time and kept.

        Args:
            path: a .jsonl file with `question` and `answer`, or with `text`, in each row; or a text file, whose passages
                are parted by empty lines.
            embedding: the model's.
            index: the directory where the index is kept; None for the user's cache directory.

        Raises:
            CompactLMError: the file cannot be read, or has nothing to answer from.
        """
        try:
            digest = file_digest(path)
        except OSError as error:
            raise CompactLMError(f"{path} cannot be read ({error.strerror}); name a readable file with --knowledge") from None
        self.path, self.embedding, self.broken, self.unreadable = path, embedding, 0, 0
        fingerprint = f"1 {digest} {embedding.fingerprint}"
        directory = index or index_directory(f"{path.resolve()} {embedding.model.directory.path.resolve()}")
        self.index: VectorIndex = open_index(directory, fingerprint, self._entries, embedding.embed)

    def _entries(self) -> list[Entry]:
        rows = self._rows() if self.path.suffix.lower() == ".jsonl" else _passages(_paragraphs(self._text()))
        found = list(rows)
        if not found:
            raise CompactLMError(
                f"{self.path} has nothing to answer from; write rows with question and answer, or with text, "
                "or passages parted by empty lines"
            )
        return found

    def _text(self) -> Iterator[Line]:
        if self.path.suffix.lower() in OTHER_FORMATS:
            raise CompactLMError(f"{self.path} is no text; save it as .txt, or its rows as .jsonl with question and answer, or with text")
        for line in read_lines(str(self.path)):
            self.unreadable += line.error is not None
            yield line

    def _rows(self) -> Iterator[Entry]:
        for line, row in read_objects(str(self.path)):
            question, answer, text = (row.get(name) for name in ("question", "answer", "text"))
            if isinstance(question, str) and isinstance(answer, str):
                yield {"text": encodable(question), "answer": encodable(answer), "line": line.number}
            elif isinstance(text, str):
                yield from _passages([(line.number, encodable(text))])
            else:
                self.broken += 1

    def answer(self, question: str, threshold: float | None = None) -> Answer:
        """Return the best answer to a question, without a text where its score is below the threshold.

        Without a threshold it is PAIR_THRESHOLD for a pair of question and answer, and PASSAGE_THRESHOLD for a passage.
        """
        (hit,) = self.index.search(self.embedding.embed([question])[0], 1)
        entry = hit.entry
        if threshold is None:
            threshold = PAIR_THRESHOLD if "answer" in entry else PASSAGE_THRESHOLD
        if hit.score < threshold:
            return Answer(None, hit.score, None, None)
        if "answer" in entry:
            return Answer(entry["answer"], hit.score, entry["text"], entry["line"])
        return Answer(entry["text"], hit.score, None, entry["line"])


def _paragraphs(lines: Iterator[Line]) -> Iterator[tuple[int, str]]:
    """Yield the texts between empty lines, each with the number of its first line."""
    first, words = 0, []
    for line in lines:
        if line.text.strip():
            first = first or line.number
            words.append(line.text.strip())
        elif words:
            yield first, " ".join(words)
            first, words = 0, []
    if words:
        yield first, " ".join(words)


def _passages(texts: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> Iterator[Entry]:
    """Yield texts in passages of whole sentences, each of about PASSAGE_WORDS words."""
    for line, text in texts:
        passage: list[str] = []
        words = 0
        for sentence in _SENTENCE_END.split(text.strip()):
            count = len(sentence.split())
            if passage and words + count > PASSAGE_WORDS:
                yield {"text": " ".join(passage), "line": line}
                passage, words = [], 0
            passage.append(sentence)
            words += count
        if words:
            yield {"text": " ".join(passage), "line": line}
