"""Measure how far rounding alone changes a run, and whether `compactlm verify` tells it from a fault.

    python -m benchmarks.bench_verify                  # the preset smoke
    python -m benchmarks.bench_verify --preset tiny    # a random teacher of two layers and 150 labelled rows
    python -m benchmarks.bench_verify --statuses       # the models of the last run answer the test rows again

A clone of the last commit (.cache/verify) runs the pipeline with this machine's own arithmetic and commits the result. Then it runs again
with each other arithmetic, which `compactlm verify` has to find the same within rounding, and with each fault, which it has to find
different. The greatest differences by stage are written to reports/benchmarks/verify.md and .json, as shares of their bounds.

With --statuses nothing is trained: the stage evaluate runs again on the models of the working directory, with two other arithmetics. No
status of a figure, such as a check of the fairness gate, may be another one than in reports/metrics/evaluate.json.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.shared.harness import QUIET, new_console, show, write_report
from benchmarks.torture.material import write_wheel
from benchmarks.verification.answering import METRICS, answer_again, changed_statuses, figures, greatest_change
from benchmarks.verification.variants import BASE, VARIANTS, Variant
from compactlm.artifacts import read_json
from compactlm.errors import CompactLMError
from compactlm.verification.comparing import DIFFERENT, SAME

HOME = Path(".cache/verify")
REPORT = Path("reports/benchmarks/verify")
TINY = "tiny"
WRITE_TINY = "import sys; from benchmarks.torture.material import write_project; write_project(sys.argv[1])"


class Project:
    """A clone in which the variants run."""

    def __init__(self, home: Path, preset: str) -> None:
        """Use `home`, which need not exist, for the clone, logs and results."""
        self.home, self.preset, self.directory = home.resolve(), preset, home.resolve() / "project"

    def run(self, *command: str, **variables: str) -> None:
        """Run a command in the clone; exit if it fails."""
        own = {
            "PYTHONPATH": str(self.directory / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COMPACTLM_CACHE": str(self.home / "cache") if self.preset == TINY else str(Path(".cache").resolve()),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.home / "site"),
            "OMP_WAIT_POLICY": "PASSIVE",
            "TQDM_DISABLE": "1",
        }
        own |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.home / "wheels")} if self.preset == TINY else {}
        done = subprocess.run(command, cwd=self.directory, env={**os.environ, **QUIET, **own, **variables}, check=False)
        if done.returncode:
            sys.exit(f"bench-verify: {' '.join(command[:4])} ended with status {done.returncode}")

    def prepare(self) -> None:
        """Clone the last commit, run it with this machine's own arithmetic, and commit the result."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{Path.cwd()}", str(self.directory)], check=True)
        if self.preset == TINY:
            self.run(sys.executable, "-c", WRITE_TINY, write_wheel(self.home / "wheels"))
        else:
            self.run("compactlm", "preset", self.preset)
        self.change(BASE)
        self.repro("base", BASE)
        self.git("add", "--all", "--force", "reports", "data/sources", "params.yaml", "dvc.lock")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Run")

    def git(self, *arguments: str) -> None:
        """Run git in the clone."""
        self.run("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", *arguments)

    def change(self, variant: Variant) -> None:
        """Change params.yaml."""
        path = self.directory / "params.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, value in variant.params.items():
            *sections, last = name.split(".")
            place = content
            for section in sections:
                place = place[section]
            place[last] = value(place[last])
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def repro(self, name: str, variant: Variant) -> None:
        """Run the stages, and compare them with the commit unless this makes it."""
        session = (sys.executable, "-m", "benchmarks.verification.session", str(self.home), name)
        self.run(*session, *variant.arguments, **variant.variables)

    def compare(self, name: str, variant: Variant) -> dict[str, Any]:
        """Run a variant; return the comparisons of all files by stage."""
        self.git("checkout", "--quiet", "--", "params.yaml")
        self.change(variant)
        self.repro(name, variant)
        content: dict[str, Any] = read_json(self.home / f"{name}.json")
        return content


def greatest(compared: list[dict[str, Any]]) -> str:
    """Return the greatest difference of a stage as a share of its bound."""
    different = [one for one in compared if one["verdict"] != SAME]
    if not different:
        return "same bytes"
    return "no bound" if any(one["distance"] is None for one in different) else f"{max(one['distance'] for one in different):.2g}"


def check_statuses(project: Path) -> int:
    """Let the models of a project answer again with other arithmetics; return 1 if a status changes, else 0."""
    old, bad = read_json(project / METRICS), 0
    for name in ("AVX2", "SSE"):
        with tempfile.TemporaryDirectory() as scratch:
            new = answer_again(project, Path(scratch), VARIANTS[name].variables)
        changed, (share, where) = changed_statuses(old, new), greatest_change(old, new)
        count = len(list(figures(old)))
        print(f"{name}: {len(changed)} of {count} statuses differ; the greatest change is {share:.1%} of half an interval ({where})")
        print(*changed, sep="\n", end="\n" if changed else "")
        bad = max(bad, min(1, len(changed)))
    return bad


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="bench-verify", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="smoke", help=f"a preset, or {TINY} for a random teacher and a few rows")
    parser.add_argument("--home", type=Path, default=HOME, help="the directory of the clone")
    parser.add_argument("--report", type=Path, default=REPORT, help="the report, without its suffix")
    parser.add_argument("--statuses", action="store_true", help="only let the models of the last run answer again")
    chosen = parser.parse_args()
    if chosen.statuses:
        try:
            sys.exit(check_statuses(Path.cwd()))
        except (CompactLMError, FileNotFoundError) as error:
            sys.exit(f"bench-verify: {error}")
    project = Project(chosen.home, chosen.preset)
    project.prepare()
    found = {name: project.compare(name, variant) for name, variant in VARIANTS.items()}
    stages = list(next(iter(found.values())))
    rows = [[stage, *(greatest(found[name].get(stage, [])) for name in VARIANTS)] for stage in stages]
    verdicts = {name: any(one["verdict"] == DIFFERENT for of in found[name].values() for one in of) for name in VARIANTS}
    rows.append(["verdict", *("different" if verdict else "same" for verdict in verdicts.values())])
    section = show(new_console(200), "The greatest difference of a stage, as a share of its bound", ["stage", *VARIANTS], rows, ("stage",))
    write_report(chosen.report, [f"# Rounding and faults, preset {chosen.preset}", section], {"preset": chosen.preset, "compared": found})
    wrong = [name for name, verdict in verdicts.items() if verdict != VARIANTS[name].fault]
    for name in wrong:
        print(f"bench-verify: {name} is {'different' if verdicts[name] else 'the same'}, and it should not be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
