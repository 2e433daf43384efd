"""The optional log of requests for `compactlm watch`: answers and counts, and either hashes of the texts or the texts.

Hashes use a random key that the server keeps in memory. They identify repeated texts within one run of the server, and nobody can look up a
text by its hash.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import logging
import os
import random
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from compactlm.errors import CompactLMError
from compactlm.improvement.describing import count_words
from compactlm.improvement.drift.captured import ANSWER, COUNTS, HASH, PROBABILITIES, TASK
from compactlm.improvement.rows import as_line
from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.tasks.classifying import Classification
from compactlm.serving.settings import Settings

MEGABYTE = 1_000_000
log = logging.getLogger("compactlm.serving")


@dataclasses.dataclass
class Capture:
    """A file with one line for each captured text, up to a maximum size.

    Attributes:
        path: the file; other users may not read it.
        plain: whether lines have the text instead of its hash.
        share: the share of texts that are captured.
        most_bytes: the size at which capturing ends.
    """

    path: Path
    plain: bool
    share: float
    most_bytes: int

    def __post_init__(self) -> None:
        """Open the file.

        Raises:
            CompactLMError: the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise CompactLMError(f"{self.path} cannot be written ({error.strerror}); pass another path with --capture") from None
        self._file: IO[bytes] | None = os.fdopen(descriptor, "ab", buffering=0)
        self._bytes = self.path.stat().st_size
        self._key = secrets.token_bytes(32)
        self._random = random.SystemRandom()

    @classmethod
    def of(cls, settings: Settings) -> Capture | None:
        """Return the capture that the settings enable, or None."""
        if settings.capture is None:
            return None
        return cls(settings.capture, settings.capture_texts == "plain", settings.capture_share, settings.capture_megabytes * MEGABYTE)

    def add(
        self, task: str, tokenizer: Tokenizer, texts: Sequence[str], sequences: Sequence[Sequence[int]], answers: Sequence[Classification]
    ) -> None:
        """Write the answers to the texts of a request. A failure ends capturing, but not the request.

        Args:
            task: the name of the task.
            tokenizer: the tokenizer of the task's model.
            texts: the texts.
            sequences: the token ids of each text, not truncated.
            answers: the answer to each text.
        """
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        lines = []
        for text, ids, answer in zip(texts, sequences, answers, strict=True):
            if self._random.random() < self.share:
                lines.append(as_line({"time": now, TASK: task, **self._name(text), **_about(tokenizer, ids, answer)}))
        self._write("".join(lines).encode())

    def _name(self, text: str) -> dict[str, str]:
        if self.plain:
            return {"text": text}
        key = " ".join(text.casefold().split())
        return {HASH: hashlib.blake2b(key.encode(), key=self._key, digest_size=16).hexdigest()}

    def _write(self, content: bytes) -> None:
        if self._file is None or not content:
            return
        if self._bytes + len(content) > self.most_bytes:
            log.warning("%s is full, so no more requests are captured; move it away and start the server again", self.path)
            self.close()
            return
        try:
            self._file.write(content)
            self._bytes += len(content)
        except OSError as error:
            log.warning("%s cannot be written (%s), so no more requests are captured", self.path, error.strerror)
            self.close()

    def close(self) -> None:
        """Close the file. Later requests are not captured."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _about(tokenizer: Tokenizer, ids: Sequence[int], answer: Classification) -> dict[str, Any]:
    return {
        COUNTS: count_words(tokenizer, ids),
        ANSWER: answer.label,
        PROBABILITIES: [round(value, 6) for value in answer.probabilities.values()],
    }
