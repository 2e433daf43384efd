"""The versions that constraints.txt pins."""

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


def test_every_installed_package_runs_on_the_oldest_python_that_the_readme_promises():
    # A pin that asks for a later patch release ends `make setup` in a conflict on the Python of a stable distribution.
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest = promised.removeprefix(">=") + ".0"
    pinned = {line.split("==")[0].strip().lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    wanted = {d.name: d.metadata.get("Requires-Python") for d in metadata.distributions() if d.name.lower() in pinned}
    assert len(wanted) > 100
    assert {name: python for name, python in wanted.items() if python and oldest not in SpecifierSet(python)} == {}
