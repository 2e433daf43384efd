"""Run the programs of tests/node with transformers.js, which is installed into the cache at the versions of package-lock.json."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from tokenizers import Tokenizer

from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.onnx_session import open_session

FILES = {"fp32": FLOAT_FILE, "q8": INT8_FILE}  # the file that transformers.js reads for each dtype
TASKS = {"mlm": "fill-mask", "embedding": "feature-extraction"}  # all others are classifiers

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("COMPACTLM_CACHE") or HERE.parents[1] / ".cache")


def installed() -> Path:
    """Return a directory with the packages and the programs; skip the test if Node.js or npm is missing."""
    missing = [command for command in ("node", "npm") if not shutil.which(command)]
    if missing:
        pytest.skip(f"{' and '.join(missing)} cannot be found; install Node.js 18 or newer with npm to run the exported models in it")
    lock = (HERE / "package-lock.json").read_bytes()
    directory = CACHE / "node" / hashlib.sha256(lock).hexdigest()[:16]
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(directory / "lock"):  # another worker may be installing
        if not (directory / "installed").is_file():
            install(directory)
        for program in sorted(HERE.glob("*.mjs")):
            copy = directory / program.name
            # Another worker may be reading the file, so it is written only if it differs.
            if not copy.is_file() or copy.read_bytes() != program.read_bytes():
                shutil.copyfile(program, copy)
    return directory


def install(directory: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, directory / name)
    # The install script of onnxruntime-node would fetch GPU libraries.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    tried = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=600)
    assert tried.returncode == 0, tried.stderr
    (directory / "installed").touch()


def answers(directory: Path, name: str, task: str, dtype: str, texts: Sequence[str | tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the token ids and the answer of transformers.js for each text, or pair of texts.

    Args:
        directory: has one directory for each model.
        name: the name of the model's directory.
        task: "fill-mask" for the likeliest token at each mask, "text-classification" for the likeliest label,
            "feature-extraction" for the normalised mean of the last hidden states, and "outputs of " with the pipeline's name for all
            numbers that a task's model gives.
        dtype: "fp32" for onnx/model.onnx, "q8" for onnx/model_quantized.onnx.
        texts: the texts, read one at a time.
    """
    return run("predict.mjs", {"directory": str(directory), "name": name, "task": task, "dtype": dtype, "texts": texts})


def run(program: str, question: dict[str, Any]) -> list[Any]:
    """Return what a program writes about a question, a value of JSON for each of its texts or inputs."""
    command = ["node", program]
    found = subprocess.run(command, cwd=installed(), input=json.dumps(question), capture_output=True, text=True, check=False, timeout=600)
    assert found.returncode == 0, found.stderr[-3000:]
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(lines) == len(question.get("texts", question.get("inputs")))
    return lines


def python_answers(directory: Path, name: str, dtype: str, texts: list[str]) -> list[dict[str, Any]]:
    """Return the same as `answers`, computed by ONNX Runtime and tokenizers in Python."""
    tokenizer = Tokenizer.from_file(str(directory / name / "tokenizer.json"))
    mask, session = tokenizer.token_to_id("[MASK]"), open_session(directory / name / FILES[dtype], 1)
    found = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        row = np.array([ids], np.int64)
        feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        values = session.run(None, feeds)[0][0]
        if name == "mlm":
            answer = [int(values[at].argmax()) for at, token in enumerate(ids) if token == mask]
        elif name == "embedding":
            mean = values.mean(axis=0)
            answer = (mean / np.linalg.norm(mean)).tolist()
        else:
            answer = [int(values.argmax())]
        found.append({"ids": ids, "answer": answer})
    return found


def compare_with_python(directory: Path, name: str, dtype: str, texts: list[str]) -> None:
    """Check that Node and Python find the same token ids and first choices, or embeddings of nearly the same direction."""
    ours = python_answers(directory, name, dtype, texts)
    theirs = answers(directory, name, TASKS.get(name, "text-classification"), dtype, texts)
    for text, own, other in zip(texts, ours, theirs, strict=True):
        assert other["ids"] == own["ids"], text
        assert len(other["answer"]) == len(own["answer"]) > 0, text
        if name == "embedding":
            assert np.dot(own["answer"], other["answer"]) > 0.9999, text
        else:
            assert other["answer"] == own["answer"], text


def compare_outputs(directory: Path, name: str, task: str, dtype: str, texts: Sequence[str | tuple[str, str]], tolerance: float) -> None:
    """Check that Node and Python find the same token ids and nearly the same outputs of a task's model, which reads texts or pairs."""
    tokenizer = Tokenizer.from_file(str(directory / name / "tokenizer.json"))
    session = open_session(directory / name / FILES[dtype], 1)
    for text, other in zip(texts, answers(directory, name, f"outputs of {task}", dtype, texts), strict=True):
        encoded = tokenizer.encode(*([text] if isinstance(text, str) else text))
        arrays = {"input_ids": encoded.ids, "attention_mask": encoded.attention_mask, "token_type_ids": encoded.type_ids}
        feeds = {key: np.array([values], np.int64) for key, values in arrays.items()}
        own = np.concatenate([values.ravel() for values in session.run(None, feeds)])
        assert other["ids"] == encoded.ids, text
        np.testing.assert_allclose(other["answer"], own, atol=tolerance, err_msg=str(text))
