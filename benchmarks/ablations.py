"""Train the rows of configs/ablations.yaml on the workspace's signals and measure each on validation rows.

    dvc exp run -S signals.layers=[0,3,5,6] -S signals.gigabytes=6 signals   # the signals that they share
    python -m benchmarks.ablations                                          # all rows
    python -m benchmarks.ablations general task:3                           # some of them

Each finished row is added to reports/ablations/SEED.json. Rows that are already there do not run again. Nothing else is written.
"""

import sys
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.shapes.config import compose
from compactlm import artifacts
from compactlm.bert.runtime import prepare
from compactlm.distillation.inputs import Inputs
from compactlm.distillation.phases import Phases
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure
from compactlm.params import Params

LISTED = Path("configs/ablations.yaml")


def leave_out(inputs: Inputs, what: str) -> None:
    """Train without the augmented copies, or without the weights of the rows."""
    if what == "copies":
        inputs.augmented = []
    elif what == "weights":
        weighted = inputs.task
        inputs.task = lambda name, weights=None: weighted(name)  # type: ignore[method-assign, assignment] # noqa: ARG005
    else:
        raise CompactLMError(f"{LISTED} leaves out {what!r}; choose copies or weights")


def run(phase: str, params: Params, without: str | None = None) -> dict[str, float]:
    """Train one row; return its validation figures and the seconds and tokens of its training, with four digits after the point."""
    prepare(params.threads, params.seed)
    phases = Phases(params)
    if without:
        leave_out(phases.inputs, without)
    # General distillation is not needed if the task starts from its teacher.
    general = phase == "general" or params.distill.task.start == "general"
    student, components = phases.general() if general else phases.untrained()
    if phase == "task":
        phase = next(iter(params.tasks))
        phases.task(phase, student, components)
    values = {name: one.value if isinstance(one, Figure) else one for name, one in phases.metrics[phase].items()}
    speed: Any = phases.timings[phase]
    values |= {name: speed[name] for name in ("seconds", "tokens")}
    return {name: round(value, 4) for name, value in values.items() if value is not None}


def main(chosen: list[str]) -> None:
    """Run the chosen phases or rows, `phase` or `phase:number`, or all."""
    listed = yaml.safe_load(LISTED.read_text(encoding="utf-8"))
    for phase in ("general", "task"):
        for number, row in enumerate(listed[phase]):
            if chosen and phase not in chosen and f"{phase}:{number}" not in chosen:
                continue
            params = compose([*listed["common"], *row.get("overrides", [])], row["name"], LISTED)
            results = artifacts.ABLATIONS / f"{params.seed}.json"
            known = artifacts.read_json(results) if results.exists() else {"general": {}, "task": {}}
            if row["name"] in known[phase]:
                continue
            started = time.monotonic()
            known[phase][row["name"]] = run(phase, params, row.get("without"))
            artifacts.write_json(results, known)
            print(f"{phase}, {row['name']}: {known[phase][row['name']]} ({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (CompactLMError, FileNotFoundError) as error:
        sys.exit(f"ablations: {error}")
