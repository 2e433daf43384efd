"""Run the jobs of a benchmark in processes of their own, and show and write their results."""

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from benchmarks.shared.machine import processor
from compactlm import artifacts
from compactlm.params import Params, ParamsError, read_params
from compactlm.text import markdown

QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}


def params_of(command: str) -> Params:
    """Read params.yaml; exit with one sentence if it is not valid."""
    try:
        return read_params()
    except ParamsError as error:
        sys.exit(f"{command}: {error}")


def new_console(width: int) -> Console:
    """Return a console. `width` is for a pipe, where the default width would truncate the tables."""
    return Console(width=None if sys.stdout.isatty() else width, highlight=False)


def run_module(command: str, title: str, module: str, *arguments: str, threads: int, checkout: Path = Path()) -> None:
    """Run a module in a new process, with the package of a checkout; exit with the end of its output if it fails."""
    path = os.pathsep.join([str((checkout / "src").resolve()), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **QUIET, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-m", module, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
        sys.exit(f"{command}: {title} ended with status {done.returncode}; the end of its output is above")


def run_job(command: str, title: str, module: str, job: Any, scratch: Path, checkout: Path = Path()) -> Any:
    """Run `module JOB RESULT` in a new process, and return the content of RESULT. `job` is a dataclass with `threads`."""
    result = scratch / "result.json"
    result.unlink(missing_ok=True)
    run_module(command, title, module, json.dumps(dataclasses.asdict(job)), str(result), threads=job.threads, checkout=checkout)
    return artifacts.read_json(result)


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: importlib.metadata.version(name) for name in packages}


def named(found: Mapping[str, str]) -> str:
    """Return names and versions as one phrase."""
    return ", ".join(f"{name} {version}" for name, version in found.items())


def show(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[str]) -> str:
    """Print a table, with the columns `texts` aligned to the left, and return it as a section in Markdown."""
    heads = [Column(name, justify="left" if name in texts else "right") for name in columns]
    table = Table(*heads, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return f"## {title}\n\n{markdown.table(columns, rows, texts)}"


def write_report(report: Path, sections: Sequence[str], content: Mapping[str, Any]) -> None:
    """Write the sections to the report's .md file and the content, with the name of the processor, to its .json file."""
    artifacts.write_json(report.with_suffix(".json"), {"processor": processor(), **content})
    artifacts.write_text(report.with_suffix(".md"), "\n\n".join(filter(None, sections)) + "\n")
    print(f"written: {report}.md, {report}.json")
