"""Run a stage: read params.yaml, call the stage, record its code, and print failures that a user can fix as one sentence."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable

# Set before a library that reads them is imported: no telemetry, and no warning about forked tokenizers.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Without this, torch warns in each of several processes that it searched for unused parameters in vain.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

from compactlm.artifacts import write_json
from compactlm.errors import CompactLMError
from compactlm.params import Params, read_params
from compactlm.pipeline.code import PIPELINE, RECORDS, fingerprints

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(name: str, stage: Callable[[Params], None]) -> None:
    """Run a stage, by its name in dvc.yaml, with the checked params.yaml of the working directory.

    If it fails in a way that a user can fix, the process prints one sentence and exits with status 1.
    """
    try:
        params = read_params()
        # Read before the stage runs: someone may edit the code while it does.
        code = fingerprints(name) if PIPELINE.is_file() else None
        stage(params)
        if code is not None and os.environ.get("RANK", "0") == "0":  # the first of several training processes
            write_json(RECORDS / f"{name}.json", code)
    except CompactLMError as error:
        sys.exit(f"{name}: {error}")
    except FileNotFoundError as error:
        # Missing files that a user names have errors of their own; here an artifact of another stage is missing.
        sys.exit(f"{name}: {error.filename or error} is missing; run `dvc repro`, which runs the earlier stages")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        where = getattr(error, "filename2", None) or getattr(error, "filename", None) or "an artifact"
        if _is_read_only(error):
            sys.exit(f"{name}: {where} is on a file system that is read-only; make it writable and run the command again")
        if not _disk_is_full(error):
            raise
        sys.exit(f"{name}: no space is left on the disk while writing {where}; free some and run the command again")


def _is_read_only(error: Exception) -> bool:
    return (isinstance(error, OSError) and error.errno == errno.EROFS) or _sqlite_error(error) == sqlite3.SQLITE_READONLY


def _disk_is_full(error: Exception) -> bool:
    if (isinstance(error, OSError) and error.errno in DISK_IS_FULL) or _sqlite_error(error) == sqlite3.SQLITE_FULL:
        return True
    # safetensors and tokenizers raise exceptions of their own classes, whose message ends with the number of the system's error.
    return any(f"(os error {number})" in str(error) for number in DISK_IS_FULL)


def _sqlite_error(error: Exception) -> int | None:
    """Return the primary code of an error of SQLite, which DVC uses for its caches."""
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return None if code is None else code & 0xFF
