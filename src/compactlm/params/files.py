"""Sources and word lists in files of configs/. params.yaml names these files, so it stays short.

A mapping with the key `file` is replaced by the content of the file, with the mapping's other keys merged over it. For example, {file:
configs/sources/tweets.yaml, limit: 100} is the source of that file with another limit. The same definition can be written in place, without
a file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from compactlm.errors import CompactLMError

# The sections that may name a file (* stands for any name), and the folder where it lies. dvc.yaml makes these folders dependencies.
FOLDERS = {
    ("ingest", "sources", "*"): Path("configs/sources"),
    ("bias_audit", "attributes", "*"): Path("configs/words/groups"),
    ("bias_audit", "stereotypes", "*"): Path("configs/words/stereotypes"),
    ("evaluate", "slices"): Path("configs/words/slices"),
}


class _Loader(yaml.SafeLoader):
    """Reads YAML and refuses duplicate keys. PyYAML itself keeps the last of them without a message."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is given twice", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return dict(super().construct_mapping(node, deep))


def load_yaml(text: str) -> Any:
    """Return the content of a YAML document of plain values; raises yaml.YAMLError, also for a key that is given twice."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def named_files(content: dict[str, Any]) -> dict[str, str]:
    """Return the files that params.yaml names, by the section that names each."""
    return {".".join(section): holder["file"] for section, holder, _ in _holders(content)}


def insert_files(content: dict[str, Any], root: Path = Path()) -> dict[str, Any]:
    """Insert into the content of params.yaml the content of the files that it names, relative to the directory `root`.

    Raises:
        CompactLMError: a file is missing, is not in the folder that dvc.yaml expects, or is not a mapping in YAML.
    """
    whole = copy.deepcopy(content)
    for section, holder, folder in list(_holders(whole)):
        name, where = holder.pop("file"), f"{'.'.join(section)}.file"
        merged = _merge(_read(name, folder, root, where), holder)
        holder.clear()
        holder.update(merged)
    return whole


def _holders(content: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any], Path]]:
    """Yield the sections that name a file: keys, content, and the folder where the file must be."""
    for pattern, folder in FOLDERS.items():
        found: list[tuple[tuple[str, ...], Any]] = [((), content)]
        for part in pattern:
            found = [
                ((*keys, key), value[key])
                for keys, value in found
                if isinstance(value, dict)
                for key in (value if part == "*" else [part])
                if key in value
            ]
        yield from ((keys, value, folder) for keys, value in found if isinstance(value, dict) and "file" in value)


def _read(name: Any, folder: Path, root: Path, where: str) -> dict[str, Any]:
    if not isinstance(name, str) or Path(name).parent != folder:
        raise CompactLMError(f"{where} is {name!r}, but it must be a YAML file in {folder}, where DVC notices changes; move the file there")
    try:
        content = load_yaml((root / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CompactLMError(f"{where} is {name}, which does not exist; correct the path or add the file") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CompactLMError(f"{where}: {name} is not valid YAML ({error}); correct it there") from None
    if not isinstance(content, dict):
        raise CompactLMError(f"{where}: {name} has no keys at its top level; write it like the other files of {folder}")
    return content


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` merged into it. Mappings are merged key by key; all other values are replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
