"""Write a page as a file or as a folder."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from compactlm.errors import CompactLMError

MARKS = ("service-worker.js", "header.json")  # every folder that the command wrote has these files


def write(path: Path, text: str) -> None:
    """Write a page to a temporary path next to its own and rename it, so that a failure leaves no half-written page.

    Raises:
        CompactLMError: the path cannot be written.
    """
    unfinished = path.parent / f".{path.name}.unfinished"  # with_name refuses the path "."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise CompactLMError(f"{path} cannot be written ({error.strerror}); pass another file with --output") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder to a temporary path next to its own and rename it. It replaces an empty folder or an older page.

    Raises:
        CompactLMError: the path has other content, or cannot be written.
    """
    unfinished = path.parent / f".{path.name}.unfinished"  # with_name refuses the path "."
    try:
        if path.exists() and not _may_replace(path):
            raise CompactLMError(f"{path} holds something else than a page; pass a new directory with --folder")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name, content in files.items():
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / name).write_bytes(content)
        if path.exists():
            shutil.rmtree(path)
        unfinished.replace(path)
    except OSError as error:
        raise CompactLMError(f"{path} cannot be written ({error.strerror}); pass another directory with --folder") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _may_replace(path: Path) -> bool:
    return path.is_dir() and (not any(path.iterdir()) or all((path / name).is_file() for name in MARKS))
