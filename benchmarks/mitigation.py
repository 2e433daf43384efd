"""Compare mitigations of bias: train the student with each mitigation of configs/mitigation.yaml in DVC's queue.

    python -m benchmarks.mitigation                   # use the default preset
    python -m benchmarks.mitigation preset=smoke      # use other parameters, like `dvc exp run -S`
    python -m benchmarks.mitigation --collect         # only collect the finished experiments

Only reports/mitigation/ of the workspace changes. `dvc exp apply mitigation-NAME` brings one of the students into the workspace.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr

from benchmarks.shapes.config import check_command_line, compose, read_listed
from benchmarks.shapes.experiments import alone, finished, read_arguments, run_experiments, run_main
from benchmarks.shapes.mitigations import check_teacher, summarise, write
from benchmarks.shapes.results import EVALUATED
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import Section
from compactlm.report.sections.mitigation import Compared

LISTED = Path("configs/mitigation.yaml")
PREFIX = "mitigation-"


class Mitigations(Section):
    """All of configs/mitigation.yaml."""

    overrides: list[StrictStr]
    mitigations: Annotated[list[Literal["none", "reweighing", "counterfactual", "both"]], Field(min_length=1)]


def experiments(listed: Mitigations, more: Sequence[str]) -> dict[str, list[str]]:
    """Return the overrides of each experiment by name, checked before anything is trained."""
    check_command_line(more)
    found = {}
    for name in dict.fromkeys(listed.mitigations):
        found[PREFIX + name] = [*listed.overrides, *more, f"bias_audit.mitigation={name}"]
        compose(found[PREFIX + name], f"mitigation {name}", LISTED)
    return found


def collect(names: Sequence[str], shown: Sequence[Mapping[str, Any]]) -> dict[str, list[Compared]]:
    """Return the figures of the finished experiments by mitigation, from the output of `dvc exp show --json`; print which are missing."""
    found = {name.removeprefix(PREFIX): summarise(files[EVALUATED]) for name, (_, files) in finished(shown, names).items()}
    if not found:
        raise CompactLMError("no mitigation has a result, so nothing is written; fix the failures above and run `make mitigation` again")
    check_teacher(found)
    return found


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 1 if a mitigation has no result."""
    chosen = read_arguments(arguments, "make mitigation", "Train the student with each mitigation and compare them.")
    listed = read_listed(Mitigations, LISTED)
    each = experiments(listed, chosen.overrides)
    with alone("make mitigation"):
        found = collect(list(each), run_experiments(each, chosen.collect))
        print(write(artifacts.MITIGATION, found, [*listed.overrides, *chosen.overrides]))
    return int(len(found) < len(each))


if __name__ == "__main__":
    run_main("mitigation", main)
