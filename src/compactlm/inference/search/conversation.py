"""A conversation. Each question is answered from a file, if necessary together with earlier questions."""

from __future__ import annotations

from collections import deque

from compactlm.inference.search.knowledge import Answer, Knowledge


class Conversation:
    """Answers questions. A question without an answer is asked again together with earlier questions."""

    def __init__(self, knowledge: Knowledge, threshold: float | None = None, turns: int = 3) -> None:
        """Take the knowledge, the minimum score of an answer (see Knowledge.answer), and the number of earlier questions to keep."""
        self.knowledge, self.threshold = knowledge, threshold
        self.before: deque[str] = deque(maxlen=turns)

    def ask(self, question: str) -> Answer:
        """Return the best answer to the question alone, or together with one, two or more earlier questions."""
        query, best = question, self.knowledge.answer(question, self.threshold)
        if not question.strip():
            return best
        for earlier in reversed(self.before):
            if best.text is not None:
                break
            query = f"{earlier} {query}"
            found = self.knowledge.answer(query, self.threshold)
            best = found if found.score > best.score else best
        self.before.append(question)
        return best
