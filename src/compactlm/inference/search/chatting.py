"""A conversation: questions to a file of answers, each understood with the few before it."""

from __future__ import annotations

from collections import deque

from compactlm.inference.search.knowledge import Answer, Knowledge

TURNS = 3


class Conversation:
    """Answers questions; one that has no answer by itself is asked again together with the questions before it."""

    def __init__(self, knowledge: Knowledge, threshold: float | None = None, turns: int = TURNS) -> None:
        """Take what is known, the least score of an answer (see Knowledge.answer), and how many earlier questions are kept."""
        self.knowledge, self.threshold = knowledge, threshold
        self.before: deque[str] = deque(maxlen=turns)

    def ask(self, question: str) -> Answer:
        """Return the best answer, by the question alone or with one, two or more of the questions before it."""
        asked, best = question, self.knowledge.answer(question, self.threshold)
        if not question.strip():
            return best
        for earlier in reversed(self.before):
            if best.text is not None:
                break
            asked = f"{earlier} {asked}"
            found = self.knowledge.answer(asked, self.threshold)
            best = found if found.score > best.score else best
        self.before.append(question)
        return best
