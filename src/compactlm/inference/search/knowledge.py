"""Answer questions from a file of question-answer pairs, or from passages of text."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.search.chat_words import in_full
from compactlm.inference.search.overlap import overlaps
from compactlm.inference.search.thresholds import read_thresholds
from compactlm.inference.search.vector_index import Entry, Hit, VectorIndex, open_file_index
from compactlm.text.formats.lines import Line, read_lines, read_objects
from compactlm.text.sentences import split_sentences
from compactlm.text.unicode import encodable

PASSAGE_WORDS = 60  # the mean vector of a longer passage is less specific
CANDIDATES = 50  # the nearest entries, which are sorted by their scores
LETTERS = 0.3  # the weight of shared letters in a score, chosen on validation questions; the similarity has the rest
# Formats that would be misread as text.
OTHER_FORMATS = (".csv", ".tsv", ".json", ".parquet", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".gz", ".zip")


@dataclasses.dataclass(frozen=True)
class Answer:
    """The best answer to a question.

    Attributes:
        text: the answer, or None if no score reaches the threshold.
        score: the score of the best match, -1 to 1 (see Knowledge.matches).
        source: the matching question of the file, or None for a passage.
        line: the line of the answer in the file, from 1.
        threshold: the minimum score of an answer.
        wrong_answers: the accepted share of wrong answers for which the threshold was chosen; None if it was not chosen on data.
    """

    text: str | None
    score: float
    source: str | None
    line: int | None
    threshold: float
    wrong_answers: float | None


class Knowledge:
    """A file of answers, indexed by the embeddings of its questions or passages.

    Attributes:
        broken: the number of rows that were skipped when the index was built, because they have neither question and answer nor text.
        unreadable: the number of lines in which invalid UTF-8 was replaced by U+FFFD when the index was built.
    """

    def __init__(self, path: Path, embedding: SentenceEmbedding, index: Path | None = None) -> None:
        """Open the index of a file. It is built at first use and kept.

        Args:
            path: a .jsonl file with `question` and `answer`, or with `text`, in each row; or a text file with empty lines
                between passages.
            embedding: the sentence embedding of the model.
            index: the directory of the index; None uses the user's cache directory.

        Raises:
            CompactLMError: the file cannot be read, or has no usable row or passage, or the model's thresholds are damaged.
        """
        self.thresholds = read_thresholds(embedding.model.directory.path)
        self.path, self.embedding, self.broken, self.unreadable = path, embedding, 0, 0
        self.index: VectorIndex = open_file_index(path, "", index, embedding, self._entries)

    def _entries(self) -> list[Entry]:
        rows = self._rows() if self.path.suffix.lower() == ".jsonl" else _passages(_paragraphs(self._text()))
        found = list(rows)
        if not found:
            raise CompactLMError(
                f"{self.path} has no usable rows; write rows with question and answer, or with text, or passages between empty lines"
            )
        return found

    def _text(self) -> Iterator[Line]:
        if self.path.suffix.lower() in OTHER_FORMATS:
            raise CompactLMError(f"{self.path} is not a text file; save it as .txt, or as .jsonl with question and answer, or text")
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

    def matches(self, question: str) -> list[Hit]:
        """Return the best CANDIDATES entries, the best first.

        The score is 0.7 x cosine similarity + 0.3 x share of the question's letters that the entry has (see overlap.overlaps). The
        embedding matches other words for the same thing; the letters match misspelt words and names. A question with abbreviations such as
        "who r u" is also asked in full (see chat_words). Each entry gets the better of both scores.
        """
        best: dict[tuple[int, str], Hit] = {}
        for asked in dict.fromkeys((question, in_full(question))):
            for hit in self._scored(asked):
                place = (hit.entry["line"], hit.entry["text"])
                if place not in best or hit.score > best[place].score:
                    best[place] = hit
        return sorted(best.values(), key=lambda hit: -hit.score)[:CANDIDATES]

    def _scored(self, question: str) -> list[Hit]:
        hits = self.index.search(self.embedding.embed([question])[0], CANDIDATES)
        shared = overlaps(question, [hit.entry["text"] for hit in hits])
        return [Hit(hit.entry, (1 - LETTERS) * hit.score + LETTERS * float(share)) for hit, share in zip(hits, shared, strict=True)]

    def answer(self, question: str, threshold: float | None = None) -> Answer:
        """Return the best answer to a question; its text is None if the score is below the threshold.

        The default threshold is the model's own; it has one for question-answer pairs and one for passages.
        """
        best = self.matches(question)[0]
        entry, score = best.entry, best.score
        wrong_answers = None
        if threshold is None:
            wrong_answers = self.thresholds.wrong_answers
            threshold = self.thresholds.pair if "answer" in entry else self.thresholds.passage
        if score < threshold:
            return Answer(None, score, None, None, threshold, wrong_answers)
        text, source = (entry["answer"], entry["text"]) if "answer" in entry else (entry["text"], None)
        return Answer(text, score, source, entry["line"], threshold, wrong_answers)


def _paragraphs(lines: Iterator[Line]) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs between empty lines, each with the number of its first line."""
    for filled, some in itertools.groupby(lines, key=lambda line: bool(line.text.strip())):
        if filled:
            paragraph = list(some)
            yield paragraph[0].number, "\n".join(line.text.strip() for line in paragraph)


def _passages(texts: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> Iterator[Entry]:
    """Split texts into passages of whole sentences, each of about PASSAGE_WORDS words."""
    for line, text in texts:
        passage: list[str] = []
        words = 0
        for sentence in split_sentences(text):
            count = len(sentence.split())
            if passage and words + count > PASSAGE_WORDS:
                yield {"text": " ".join(passage), "line": line}
                passage, words = [], 0
            passage.append(sentence)
            words += count
        if words:
            yield {"text": " ".join(passage), "line": line}
