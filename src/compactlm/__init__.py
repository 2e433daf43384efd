"""compactlm: a compact BERT from text and a BERT teacher, every step versioned by DVC."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "linux" and os.uname().machine == "x86_64":  # for other processors Arrow's packages come without it
    # Read when Arrow is loaded. Of its allocators this one gives back what is free; with the default a process keeps all it ever had.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM

__version__ = "0.1.0"
__all__ = ["CompactLM", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for, so that a stage which needs none of it does not load it.
    if name == "CompactLM":
        from compactlm.inference.api import CompactLM

        return CompactLM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
