"""The requirements in pyproject.toml and the versions in constraints.txt."""

import re
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


def hashed(name):
    """Return the version and the hashes of each package in a file of hashed requirements."""
    found = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text()):
        head = re.match(r"([A-Za-z0-9_.-]+)==(\S+)", block)
        if head:
            found[canonicalize_name(head[1])] = (head[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
    return found


def test_every_package_of_setup_has_hashes_at_its_pinned_version():
    listed = hashed("requirements.txt")
    assert len(listed) > 150
    assert [name for name, (_, hashes) in {**listed, **hashed("requirements-cuda.txt")}.items() if not hashes] == []
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pins = {canonicalize_name(name): version.strip() for name, version in pins.items()}
    assert {name: version for name, (version, _) in listed.items() if pins.get(name, version) != version} == {}
    extras = PROJECT["optional-dependencies"]
    groups = [PROJECT["dependencies"], extras["train"], extras["serve"], extras["dev"]]
    names = {canonicalize_name(Requirement(requirement).name) for group in groups for requirement in group} - {"compactlm"}
    assert names - listed.keys() == set()
    assert {"setuptools"} <= listed.keys()  # builds our package, without isolation


def test_torch_needs_no_package_without_a_hash():
    known = hashed("requirements.txt").keys() | hashed("requirements-cuda.txt").keys()
    needed = [Requirement(line) for line in metadata.requires("torch") or []]
    assert [
        one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""}) if canonicalize_name(one.name) not in known
    ] == []
