"""Get a teacher from a package archive, a local directory or the model hub."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import snapshot_download

from compactlm.corpus.ingest.archives.fetching import fetch
from compactlm.corpus.ingest.archives.unpacking import extract_directory
from compactlm.errors import CompactLMError
from compactlm.params import DirectoryTeacher, HubTeacher, PackageTeacher
from compactlm.text.markdown import facts

# The second pattern is for the dense modules of a sentence encoder; * also matches a slash.
TEXT_AND_WEIGHTS = ["*.json", "*.txt", "model.safetensors", "*_Dense/model.safetensors"]


@contextlib.contextmanager
def teacher_directory(source: PackageTeacher | DirectoryTeacher | HubTeacher) -> Iterator[Path]:
    """Yield a local directory with the teacher's files. A directory from an archive is temporary.

    Raises:
        CompactLMError: the teacher is not available; the message names the source, the reason and a fix.
    """
    if isinstance(source, PackageTeacher):
        archive = fetch(source)
        with tempfile.TemporaryDirectory(prefix="compactlm-teacher-") as scratch:
            target = Path(scratch) / "teacher"
            extract_directory(archive, source.directory, target)
            yield target
    elif isinstance(source, DirectoryTeacher):
        directory = Path(source.path)
        if not directory.is_dir():
            raise CompactLMError(f"the teacher's directory {directory} does not exist; correct teacher.source.path in params.yaml")
        yield directory
    else:
        yield _from_hub(source)


def _from_hub(source: HubTeacher) -> Path:
    if Path(source.model).is_dir():
        return Path(source.model)
    try:
        return Path(snapshot_download(source.model, revision=source.revision, allow_patterns=TEXT_AND_WEIGHTS))
    except Exception as error:  # noqa: BLE001 - the hub's client raises types of several libraries
        reason = " ".join(str(error).split())[:200]
        raise CompactLMError(
            f"the teacher {source.model!r} could not be fetched from the model hub ({type(error).__name__}: {reason}); save it on a "
            "machine with access and name its directory in teacher.source.model, or choose another preset "
            "(`make train PRESET=default`)"
        ) from None


def teacher_card(source: PackageTeacher | DirectoryTeacher | HubTeacher, parameters: int) -> str:
    """Return a Markdown table of the teacher's source, licence and size; `parameters` counts those with a 2-label head."""
    known = {key: value for key, value in source.model_dump(mode="json").items() if value is not None}
    return f"# Teacher card\n\n{facts([*known.items(), ('parameters', f'{parameters:,}')])}\n"
