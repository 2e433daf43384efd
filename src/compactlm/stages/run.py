"""What all stages share: read params.yaml, call the stage, and end every failure that a user can mend in one sentence."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

# Set before a library that reads them is imported: no telemetry, and no warning about forked tokenizers.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# torch warns in every process of several that looking for unused parameters was needless.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

from compactlm.errors import CompactLMError
from compactlm.params import Params, ParamsError, read_params

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(name: str, stage: Callable[[Params], None]) -> None:
    """Run a stage with the checked params.yaml of the working directory; exit 1 with one sentence where it cannot be done."""
    try:
        stage(read_params())
    except (CompactLMError, ParamsError) as error:
        sys.exit(f"{name}: {error}")
    except FileNotFoundError as error:
        # Of files that a user names the library itself says that they are missing; what is left are other stages' artifacts.
        sys.exit(f"{name}: {error.filename or error} is missing; run `dvc repro`, which runs the stages that come before")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _disk_is_full(error):
            raise
        where = getattr(error, "filename2", None) or getattr(error, "filename", None) or "an artifact"
        sys.exit(f"{name}: no space is left on the disk while writing {where}; free some and run the command again")


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
        return True
    # safetensors and tokenizers raise types of their own, outside any hierarchy, that end with the system's error.
    return any(f"(os error {number})" in str(error) for number in DISK_IS_FULL)
