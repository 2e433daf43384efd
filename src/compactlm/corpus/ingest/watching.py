"""Links to source files that lie outside data/sources, so that DVC notices when they change.

The stage depends on data/sources as a whole, and DVC reads a linked file like any other. Globs do not find the folder of the links, because
it is hidden.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from compactlm.errors import CompactLMError

WATCHED = Path("data/sources")  # a dependency of the stage in dvc.yaml
LINKS = WATCHED / ".elsewhere"


def watch(files: Mapping[str, Iterable[Path]]) -> None:
    """Replace the content of LINKS: one link for each file that lies outside WATCHED, in a folder with the name of its source.

    Raises:
        CompactLMError: the links cannot be written.
    """
    wanted = {}
    for name, paths in files.items():
        for number, path in enumerate(_outside(paths)):
            wanted[LINKS / name / f"{number:04}-{path.name}"] = path.resolve()
    try:
        if LINKS.is_dir():
            for old in LINKS.iterdir():
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
            LINKS.rmdir()
        for link, target in sorted(wanted.items()):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
    except OSError as error:
        raise CompactLMError(
            f"{LINKS} cannot be written ({os.strerror(error.errno or 0)}), so DVC would not notice changes of files elsewhere; make it "
            f"writable, or move the files of ingest.sources to {WATCHED}"
        ) from None


def _outside(paths: Iterable[Path]) -> list[Path]:
    inside = WATCHED.resolve()
    return [path for path in paths if not path.resolve().is_relative_to(inside)]
