"""Load a tokenizer without importing the models of transformers, which takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from compactlm.errors import CompactLMError


def load_tokenizer(directory: Path) -> Any:
    """Return the tokenizer of a local model directory.

    Raises:
        CompactLMError: there is no tokenizer.
    """
    try:
        return AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare exceptions, and KeyError for a file without its parts
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CompactLMError(f"the tokenizer in {directory} cannot be loaded ({reason}); put its tokenizer.json there") from None
