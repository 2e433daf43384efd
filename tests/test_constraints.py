"""The requirements in pyproject.toml and the versions in constraints.txt."""

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned_names():
    return {canonicalize_name(line.split("==")[0].strip()) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}


def test_every_requirement_is_pinned():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    names = {canonicalize_name(Requirement(requirement).name) for group in groups for requirement in group}
    assert names - pinned_names() == {"compactlm"}  # the extras include one another


def test_every_pinned_package_supports_the_oldest_python():
    # A pin that needs a later patch release would make `make setup` fail on the Python of a stable distribution.
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    pinned = pinned_names()
    wanted = {d.name: d.metadata.get("Requires-Python") for d in metadata.distributions() if canonicalize_name(d.name) in pinned}
    assert len(wanted) > 100
    assert {name: python for name, python in wanted.items() if python and oldest not in SpecifierSet(python)} == {}
