"""Presets: Hydra composes params.yaml from configs/, as in `dvc exp run`."""

from __future__ import annotations

import codecs
import re
import subprocess
import tempfile
from pathlib import Path

import yaml
from dvc.utils.hydra import compose_and_dump
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from compactlm.artifacts import write_text
from compactlm.errors import CompactLMError
from compactlm.params import PARAMS_FILE, parse_params

CONFIGS = Path("configs")
COMPOSED = Path(".cache/composed-params.yaml")  # the text that `select` wrote last, to recognise values that a user has edited
DEFAULT = "default"
PACKAGE = r"# *@package +_global_\s"  # Hydra puts the keys of a file with this line at the top level
# `dvc exp run` writes params.yaml without this line.
HEAD = """\
# Composed from configs/ by `compactlm preset NAME` and by `dvc exp run -S key=value`. Lasting changes belong in configs/.
"""


def preset_names() -> list[str]:
    """Return the names of the presets in configs/preset."""
    return sorted(path.stem for path in (CONFIGS / "preset").glob("*.yaml"))


def compose(preset: str) -> str:
    """Return the text of params.yaml for a preset.

    Raises:
        CompactLMError: the preset does not exist, a file of configs/ is damaged, or Hydra would ignore one of its files.
    """
    if preset not in preset_names():
        raise CompactLMError(f"there is no preset {preset!r} in {CONFIGS}/preset; choose one of {', '.join(preset_names())}")
    for path in [
        CONFIGS / "preset" / f"{preset}.yaml",
        *(path for group in ("data", "adopted") for path in sorted((CONFIGS / group).glob("*.yaml"))),
    ]:
        _check_package(path)
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / PARAMS_FILE.name
        try:
            compose_and_dump(target, str(CONFIGS.resolve()), None, "config", scratch, [f"preset={preset}"])
        except (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError, ValueError, RecursionError) as error:
            raise CompactLMError(f"the preset {preset} cannot be composed from {CONFIGS}/ ({error}); correct the file there") from None
        return HEAD + target.read_text(encoding="utf-8")


def _check_package(path: Path) -> None:
    """Raise CompactLMError if a file does not begin with PACKAGE; Hydra would put its keys below the name of its folder."""
    content = path.read_bytes()
    if content.startswith(codecs.BOM_UTF8):
        raise CompactLMError(f"{path} begins with a byte order mark, so none of its keys would apply; save it as UTF-8 without one")
    if not re.match(PACKAGE, content.decode("utf-8", "replace")):
        raise CompactLMError(f"{path} does not begin with the line `# @package _global_`, so none of its keys would apply; add this line")


def _read(path: Path) -> str:
    """Return the text of a file that is only compared, so it may be damaged."""
    return path.read_text(encoding="utf-8", errors="replace")


def without_head(text: str) -> str:
    """Return the text of params.yaml without the comment lines at its top."""
    lines = text.splitlines(keepends=True)
    while lines and lines[0].startswith("#"):
        del lines[0]
    return "".join(lines)


def select(preset: str | None) -> str:
    """Set params.yaml to a preset, and return a sentence that says what was done.

    Values that somebody has edited in params.yaml are never lost. Without the name of a preset they are kept. With a name, they must first
    be committed or reverted.

    Raises:
        CompactLMError: the preset does not exist or is not valid, or params.yaml has values of its own.
    """
    name = preset or DEFAULT
    wanted = compose(name)
    present = _read(PARAMS_FILE) if PARAMS_FILE.exists() else None
    # Composing takes seconds, so a named preset is first compared with the last commit.
    if present is not None and present != wanted and not (preset and present == _committed()) and not _is_composed(present, name, wanted):
        if preset is None:
            return f"{PARAMS_FILE} has values of its own, which are used; `make train PRESET={DEFAULT}` replaces them with the preset's"
        raise CompactLMError(
            f"{PARAMS_FILE} has values of its own that PRESET={preset} would overwrite; commit them or revert them with "
            f"`git checkout {PARAMS_FILE}`, then run the command again"
        )
    parse_params(yaml.safe_load(wanted), f"{CONFIGS}/preset/{name}.yaml")
    if present == wanted:
        return f"{PARAMS_FILE} is the preset {name}"
    write_text(PARAMS_FILE, wanted)
    write_text(COMPOSED, wanted)
    return f"{PARAMS_FILE} is now the preset {name}"


def require_composed(preset: str) -> None:
    """Raise CompactLMError if params.yaml is not the composition of a preset, because composing it again would change a value."""
    if without_head(_read(PARAMS_FILE)) != without_head(compose(preset)):
        raise CompactLMError(
            f"{PARAMS_FILE} has values of its own, which composing it again from {CONFIGS}/ would lose; write them into "
            f"{CONFIGS}/preset/{preset}.yaml, run `compactlm preset {preset}`, then run the command again"
        )


def recompose(preset: str) -> None:
    """Compose params.yaml from a preset and write it; raises CompactLMError if the values contradict each other."""
    text = compose(preset)
    parse_params(yaml.safe_load(text), f"{CONFIGS}/preset/{preset}.yaml")
    write_text(PARAMS_FILE, text)
    write_text(COMPOSED, text)


def _is_composed(present: str, name: str, wanted: str) -> bool:
    """Return whether nobody has edited params.yaml: it is the composition of a preset, now or when `select` wrote it."""
    content = without_head(present)
    if content == without_head(wanted) or (COMPOSED.exists() and content == without_head(_read(COMPOSED))):
        return True
    others = set(_presets_that_say(_stated_name(present))) - {name}
    return any(content == without_head(compose(other)) for other in sorted(others))


def _presets_that_say(stated: str | None) -> list[str]:
    """Return the presets whose params.yaml may have this value of `preset`. A preset may inherit the value from another."""
    return [
        name for name in preset_names() if _stated_name((CONFIGS / "preset" / f"{name}.yaml").read_text(encoding="utf-8")) in (stated, None)
    ]


def _stated_name(text: str) -> str | None:
    found = re.search(r"^preset: *([^\s#]+)", text, re.MULTILINE)
    return found.group(1) if found else None


def _committed() -> str | None:
    found = subprocess.run(["git", "show", f"HEAD:{PARAMS_FILE}"], capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else None
