"""Write a page."""

from __future__ import annotations

import contextlib
from pathlib import Path

from compactlm.errors import CompactLMError


def write(path: Path, text: str) -> None:
    """Write a page next to its path and rename it, so that a failure leaves no half-written page.

    Raises:
        CompactLMError: the path cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise CompactLMError(f"{path} cannot be written ({error.strerror}); pass another file with --output") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
