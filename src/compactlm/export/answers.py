"""Choose the score thresholds of `answer` on questions of the validation split."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from compactlm.corpus.queries import Passage
from compactlm.draws import draw_items
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.search.knowledge import Knowledge
from compactlm.inference.search.thresholds import DEFAULT, Thresholds

Asked = tuple[str, int]  # a question, and the line of its answer in the file, from 1


def choose_thresholds(
    embedding: SentenceEmbedding,
    pairs: Sequence[tuple[str, str]],
    passages: Sequence[Passage],
    wrong_answers: float,
    questions: int,
    seed: int,
) -> Thresholds:
    """Return the lowest thresholds for which at most the share `wrong_answers` of the questions gets a wrong answer.

    Each question is asked twice: of the whole file, and of the file without the question's own answer, where every answer is wrong.

    Args:
        embedding: the sentence embedding of the model.
        pairs: pairs of a question as it is in a file of answers, and as somebody asks it.
        passages: passages with the questions that they answer.
        wrong_answers: the largest acceptable share of questions with a wrong answer, 0 to 1.
        questions: the maximum number of questions to ask about the passages.
        seed: the seed of the draw of these questions.
    """
    listed = [{"question": question, "answer": question} for question, _ in pairs]
    asked = [(query, line) for line, passage in enumerate(passages, start=1) for query in passage.queries]
    drawn = draw_items(asked, questions, "questions of answer thresholds", seed, key=repr)
    of_pairs = _ask(embedding, listed, [(text, line) for line, (_, text) in enumerate(pairs, start=1)])
    of_passages = _ask(embedding, [{"text": passage.text} for passage in passages], drawn) if drawn else []
    return Thresholds(
        least_score(of_pairs, wrong_answers),
        least_score(of_passages, wrong_answers) if of_passages else DEFAULT.passage,
        wrong_answers,
    )


def least_score(answers: Sequence[tuple[float, bool]], wrong_answers: float) -> float:
    """Return the lowest threshold for which at most this share of the questions gets a wrong answer, with four digits.

    `answers` has the score of each question's best answer, and whether this answer is right. The threshold is at most 1.
    """
    wrong = sorted((score for score, right in answers if not right), reverse=True)
    allowed = math.floor(wrong_answers * len(answers) + 1e-9)
    if len(wrong) <= allowed:
        return math.floor(min(score for score, _ in answers) * 1e4) / 1e4
    # Just above the first wrong answer that must not be given.
    return min(1.0, (math.floor(wrong[allowed] * 1e4) + 1) / 1e4)


def _ask(embedding: SentenceEmbedding, rows: Sequence[dict[str, str]], asked: Sequence[Asked]) -> list[tuple[float, bool]]:
    """Return the score of the best answer and whether it is right, for each question, once with and once without its own answer."""
    answers = []
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "answers.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        known = Knowledge(file, embedding, Path(directory) / "index")
        for question, line in asked:
            hits = known.matches(question)
            answers.append((hits[0].score, hits[0].entry["line"] == line))
            answers += [(hit.score, False) for hit in hits if hit.entry["line"] != line][:1]
    return answers
