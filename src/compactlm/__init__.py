"""compactlm: a compact BERT from text and a BERT teacher. DVC versions every step."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "linux" and os.uname().machine == "x86_64":  # Arrow's packages for other processors lack jemalloc
    # Arrow reads this when it is loaded. jemalloc returns freed memory to the system; the default allocator keeps it.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")

# ONNX Runtime reads this when it is imported. Its packages since 1.31 send usage data to Microsoft by default.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from compactlm.inference.api import CompactLM

__version__ = "0.1.0"
__all__ = ["CompactLM", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported at first use, so that stages that do not need it start faster.
    if name == "CompactLM":
        from compactlm.inference.api import CompactLM

        return CompactLM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
