"""The tokenizer of a finished model. It needs only the tokenizers library."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import tokenizers

from compactlm.bert.special_tokens import SPECIAL
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.runner import short_reason
from compactlm.inference.runtime.tokenizer_checks import problem
from compactlm.text.unicode import encodable

RIGHT = "copy the tokenizer that the model was trained with"


class Tokenizer:
    """Converts text to token ids and back.

    Attributes:
        path: tokenizer.json.
        library: the tokenizer of the tokenizers library.
        limit: the maximum number of tokens that the model accepts, [CLS] and [SEP] included.
        size: the number of tokens in the vocabulary.
    """

    def __init__(self, directory: Path, limit: int, size: int) -> None:
        """Load tokenizer.json of a model's directory.

        Args:
            directory: the model's directory.
            limit: the maximum number of tokens that the model accepts.
            size: the number of tokens that the model has.

        Raises:
            CompactLMError: the file is missing or damaged, or does not belong to the model.
        """
        self.path, self.limit, self.size = directory / "tokenizer.json", limit, size
        with self._telling("cannot be read", "restore it with `dvc checkout`, or copy the model again"):
            self.library = tokenizers.Tokenizer.from_file(str(self.path))
            self.library.no_truncation()
            self.library.no_padding()
            found = problem(self.library, size)
        if found:
            raise CompactLMError(f"{self.path} {found}; {RIGHT}")
        self.pad, self.unknown, self.cls, self.sep, self.mask = (int(self.library.token_to_id(token) or 0) for token in SPECIAL)

    @functools.cached_property
    def continuations(self) -> frozenset[int]:
        """The ids of tokens that continue a word (##)."""
        return frozenset(index for token, index in self.library.get_vocab().items() if token.startswith("##"))

    @functools.cached_property
    def fragments(self) -> frozenset[int]:
        """The ids of [UNK] and of continuations of one or two characters. Words outside the vocabulary consist of these tokens."""
        short = {index for token, index in self.library.get_vocab().items() if token.startswith("##") and len(token) <= 4}
        return frozenset(short | {self.unknown})

    @functools.cached_property
    def marks(self) -> frozenset[int]:
        """The ids of tokens without a letter or a digit."""
        return frozenset(index for token, index in self.library.get_vocab().items() if not any(map(str.isalnum, token)))

    @functools.cached_property
    def special(self) -> frozenset[int]:
        """The ids of tokens that represent no text, such as [PAD] and [unused0]."""
        return frozenset(
            index for token, index in self.library.get_vocab().items() if token[:1] == "[" and token[-1:] == "]" and token[1:-1]
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, not truncated, with [CLS] and [SEP].

        Raises:
            CompactLMError: the library cannot tokenize the texts with this file.
        """
        with self._telling("cannot tokenize a text", RIGHT):
            return [encoding.ids for encoding in self.library.encode_batch_fast([encodable(text) for text in texts])]

    def cut(self, ids: Sequence[int]) -> list[int]:
        """Return `ids` truncated to the limit; a truncated sequence ends with [SEP]."""
        return list(ids) if len(ids) <= self.limit else [*ids[: self.limit - 1], self.sep]

    def windows(self, ids: Sequence[int], limit: int | None = None) -> list[list[int]]:
        """Split `ids` into sequences that do not overlap and fit the model (or `limit`), each with [CLS] and [SEP]."""
        limit = min(limit or self.limit, self.limit)
        if len(ids) <= limit:
            return [list(ids)]
        inner, width = ids[1:-1], limit - 2
        return [self.framed(inner[start : start + width]) for start in range(0, len(inner), width)]

    def around(self, ids: Sequence[int], position: int) -> tuple[list[int], int]:
        """Return a sequence that fits the model with `ids[position]` near its middle, and the new position."""
        if len(ids) <= self.limit:
            return list(ids), position
        width = self.limit - 2
        start = min(max(1, position - width // 2), len(ids) - 1 - width)
        return self.framed(ids[start : start + width]), position - start + 1

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Return [CLS], the ids, [SEP]."""
        return [self.cls, *ids, self.sep]

    def token(self, index: int) -> str:
        """Return the token of an id."""
        return self.library.id_to_token(index) or ""

    def join(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, without special tokens. The library removes spaces before punctuation."""
        with self._telling("cannot join tokens", RIGHT):
            return self.library.decode(list(ids), skip_special_tokens=True)

    @contextlib.contextmanager
    def _telling(self, what: str, fix: str) -> Iterator[None]:
        """Turn any failure of the library into one sentence about the file."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the library raises bare exceptions, and a panic is no Exception
            raise CompactLMError(f"{self.path} {what} ({short_reason(error)}); {fix}") from None
