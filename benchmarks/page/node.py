"""Run the engine of a page in Node.js."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from compactlm.serving.browser.building import Content
from compactlm.serving.browser.rendering import ENGINE, source


def run_engine(**question: Any) -> dict[str, Any]:
    """Return the answer of engine.mjs to a question, which it describes."""
    text = json.dumps({"script": source([name for name in ENGINE if name != "worker.js"]), **question})
    program = Path(__file__).with_name("engine.mjs")
    done = subprocess.run(["node", str(program)], input=text, capture_output=True, text=True, check=False, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def run_content(content: Content, folder: Path, texts: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the answers of the engine for the content of a page; `texts` have name, text and what else the action needs.

    An action is a method of the engine, by default values.
    """
    (folder / "header.json").write_text(json.dumps(content.header))
    (folder / "weights.bin").write_bytes(content.weights)
    return run_engine(header=str(folder / "header.json"), weights=str(folder / "weights.bin"), texts=list(texts))
