"""A tokenizer of the tokenizers library as a Segmenter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tokenizers

_SURROGATES = re.compile("[\ud800-\udfff]")


class LibrarySegmenter:
    """Converts texts to token ids without special tokens; see compactlm.tasks.base.Segmenter.

    Attributes:
        library: the tokenizer; `backend_tokenizer` of a tokenizer of transformers.
    """

    def __init__(self, library: tokenizers.Tokenizer) -> None:
        self.library = library
        self.cls, self.sep, self.unknown = (int(library.token_to_id(token) or 0) for token in ("[CLS]", "[SEP]", "[UNK]"))

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        self._leave_whole()
        return [encoding.ids for encoding in self.library.encode_batch_fast(_encodable(texts), add_special_tokens=False)]

    def offsets(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Return the first character of each token of each text, and the first character after it."""
        self._leave_whole()
        return [encoding.offsets for encoding in self.library.encode_batch(_encodable(texts), add_special_tokens=False)]

    def _leave_whole(self) -> None:
        # transformers switches truncation and padding on for some calls. Switching them off needs the library alone, so only if needed.
        if self.library.truncation is not None:
            self.library.no_truncation()
        if self.library.padding is not None:
            self.library.no_padding()


def _encodable(texts: Sequence[str]) -> list[str]:
    """Return texts that the library accepts, with the same number of characters: U+FFFD in place of each surrogate."""
    return [text if text.isascii() else _SURROGATES.sub("\ufffd", text) for text in texts]
