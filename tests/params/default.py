"""The default parameters with changes, and the message that refuses them."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf

from compactlm.params import ParamsError, parse_params
from compactlm.params.files import insert_files

ROOT = Path(__file__).parents[2]


def compose(*overrides: str) -> dict[str, Any]:
    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base=None):
        content: dict[str, Any] = OmegaConf.to_container(hydra.compose("config", overrides=list(overrides)), resolve=True)  # type: ignore[assignment]
    return insert_files(content, ROOT)


GOOD = compose()


def with_changes(changes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the default parameters with other values, by path (`split.train`, or a tuple of keys)."""
    content = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *keys, last = path.split(".") if isinstance(path, str) else path
        place = content
        for key in keys:
            place = place[key]
        place[last] = value
    return content


def changed(path: tuple[Any, ...] | str, value: Any) -> dict[str, Any]:
    return with_changes({path: value})


def complaint(content: dict[str, Any]) -> str:
    with pytest.raises(ParamsError) as caught:
        parse_params(content)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith("params.yaml: ")
    return sentence
