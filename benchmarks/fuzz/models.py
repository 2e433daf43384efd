"""Targets of model directories: changed settings (json), tokenizers, and ONNX files and weights with damaged bytes."""

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz.material import roots
from benchmarks.fuzz.mutating import damage, damaged_json, text_of
from benchmarks.fuzz.runner import refusal
from compactlm import CompactLM
from compactlm.errors import CompactLMError
from compactlm.inference.tasks.methods import METHODS

WORD = re.compile(rb"[A-Za-z_/.]{4,}")  # names in a binary file, which lie between weights
TOKENIZER = "tokenizer.json"


def settings(rng: random.Random, directory: Path, models: Path) -> str:
    """Use a model after a change of one of its JSON files other than the tokenizer."""
    return _case(rng, directory, models, lambda path: path.suffix == ".json" and path.name != TOKENIZER, damaged_json)


def tokenizer(rng: random.Random, directory: Path, models: Path) -> str:
    """Use a model after a change of its tokenizer."""
    return _case(rng, directory, models, lambda path: path.name == TOKENIZER, damaged_json)


def graph(rng: random.Random, directory: Path, models: Path) -> str:
    """Use a model after damage of its ONNX file."""
    return _case(rng, directory, models, lambda path: path.suffix == ".onnx", _damaged_binary)


def weights(rng: random.Random, directory: Path, models: Path) -> str:
    """Use a model of the student on torch after damage of its weights or of config.json."""
    named = ("model.safetensors", "config.json")
    return _case(rng, directory, models.parent / "student", lambda path: path.name in named, _damaged_weights, "torch")


def _damaged_weights(content: bytes, rng: random.Random) -> bytes:
    return damaged_json(content, rng) if content[:1] == b"{" else _damaged_binary(content, rng)


def _damaged_binary(content: bytes, rng: random.Random) -> bytes:
    """Return bytes that are damaged near names, or cut off, or random at one place."""
    kind = rng.random()
    if kind < 0.1:
        return content[: rng.randrange(len(content))]
    if kind < 0.4:
        return damage(content, rng, (1, 3))
    places = [found.start() for found in WORD.finditer(content)]
    data = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        at = max(0, rng.choice(places) - rng.randrange(24))
        piece = damage(bytes(data[at : at + 64]), rng, (1, 2, 4))
        data[at : at + 64] = piece if rng.random() < 0.3 else piece[:64].ljust(64, b"\0")  # mostly of the same length
    return bytes(data)


def _case(
    rng: random.Random,
    directory: Path,
    models: Path,
    wanted: Callable[[Path], bool],
    change: Callable[[bytes, random.Random], bytes],
    backend: str = "",
) -> str:
    whole = rng.choice(sorted(path.parent for place in roots(models) for path in place.glob("*/config.json")))
    name, texts, root = whole.name, [text_of(rng) for _ in range(3)], directory / "models"
    shutil.copytree(whole, root / name, copy_function=os.link if _same_disk(models, directory) else shutil.copyfile)
    path = rng.choice(sorted(path for path in (root / name).rglob("*") if path.is_file() and wanted(path)))
    content = path.read_bytes()
    path.unlink()  # may be a hard link
    path.write_bytes(change(content, rng))
    try:
        lm = CompactLM(root, backend=backend or ("int8" if path.name == "model_quantized.onnx" else "onnx"), threads=1)
        _use(lm, name, texts)
    except CompactLMError as error:
        return refusal(error, directory)
    return "answered"


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _use(lm: CompactLM, name: str, texts: list[str]) -> None:
    if name == "mlm":
        lm.fill(f"{texts[0]} [MASK]", 2)
        lm.inspect(texts[1], 2)
        lm.check(texts)
        lm.complete(texts[2], 2)
    elif name == "embedding":
        assert len(lm.embed(texts)) == len(texts)
        lm.similar(texts[0], 2)
        lm.summarize(" ".join(texts), 2)
    else:
        task = lm.task(name).directory.task
        answer = getattr(lm, f"{METHODS[task.kind]}_all")
        assert len(list(answer([(text, texts[0]) for text in texts] if task.pair else texts, name))) == len(texts)
