"""Versions of the model as git tags in GTO's format: `compactlm@v0.2.0` is a version, `compactlm#production#3` an assignment.

`gto show`, `dvc artifacts get` and `dvc.api.artifacts_show` read the same tags. dvc.yaml names the files of the artifact.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

from compactlm import artifacts
from compactlm.errors import CompactLMError

ARTIFACT = "compactlm"  # its name in dvc.yaml
FIRST = "v0.1.0"
FETCHED = Path(".cache/versions")  # files of other versions, by commit


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A registered version: its name, such as v0.2.0, and the commit with its files."""

    name: str
    commit: str

    @property
    def tag(self) -> str:
        """The git tag."""
        return f"{ARTIFACT}@{self.name}"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers in the name. Versions are sorted by them."""
        return tuple(int(part) for part in self.name.removeprefix("v").partition("-")[0].partition("+")[0].split("."))


@dataclasses.dataclass(frozen=True)
class Registry:
    """All versions, the oldest first, and for each stage the versions to which it was assigned, in the order of the assignments.

    If a stage was unassigned, the last entry is None.
    """

    versions: tuple[Version, ...]
    assigned: dict[str, tuple[Version | None, ...]]

    def champion(self, stage: str) -> Version | None:
        """Return the version to which a stage is assigned, or None."""
        return next(reversed(self.assigned.get(stage, ())), None)

    def before(self, stage: str) -> Version | None:
        """Return the newest version that is older than the champion and had the stage before, or None."""
        champion = self.champion(stage)
        older = [one for one in self.assigned.get(stage, ()) if one and champion and one.numbers < champion.numbers]
        return max(older, key=lambda one: one.numbers, default=None)

    def next_name(self) -> str:
        """Return the name of the next version, with the second number increased by one."""
        if not self.versions:
            return FIRST
        major, minor, *_ = self.versions[-1].numbers
        return f"v{major}.{minor + 1}.0"

    def named(self, name: str) -> Version:
        """Return a version by its name.

        Raises:
            CompactLMError: there is no such version.
        """
        for version in self.versions:
            if version.name == name:
                return version
        known = ", ".join(version.name for version in self.versions) or "none"
        raise CompactLMError(f"there is no version {name!r} of {ARTIFACT}; name one of these: {known}")


def git(*arguments: str) -> str:
    """Return the output of a git command.

    Raises:
        CompactLMError: git fails.
    """
    done = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CompactLMError(f"`git {' '.join(arguments[:2])}` failed ({last[:200]}); fix that and run the command again")
    return done.stdout


def read_registry() -> Registry:
    """Return the versions of the repository in the working directory.

    Raises:
        CompactLMError: there is no git repository.
    """
    from gto.constants import ACTION, COUNTER, NAME, STAGE, VERSION, Action
    from gto.tag import parse_name

    versions: dict[str, Version] = {}
    changes: list[tuple[int, str, bool, str]] = []
    cancelled: set[str] = set()
    # An annotated tag has an object of its own; GTO ignores other tags.
    for line in git("for-each-ref", "--format=%(refname:strip=2) %(*objectname)", "refs/tags").splitlines():
        tag, _, commit = line.partition(" ")
        parsed = parse_name(tag, raise_on_fail=False)
        if not commit or parsed.get(NAME) != ARTIFACT:
            continue
        if parsed[ACTION] is Action.REGISTER:
            versions[parsed[VERSION]] = Version(parsed[VERSION], commit)
        elif parsed[ACTION] is Action.DEREGISTER:
            cancelled.add(parsed[VERSION])
        elif parsed[ACTION] in (Action.ASSIGN, Action.UNASSIGN):
            changes.append((parsed.get(COUNTER, 0), parsed[STAGE], parsed[ACTION] is Action.ASSIGN, commit))
    left = sorted((one for name, one in versions.items() if name not in cancelled), key=lambda one: one.numbers)
    by_commit = {one.commit: one for one in left}
    assigned: dict[str, tuple[Version | None, ...]] = {}
    for _, stage, holds, commit in sorted(changes):
        assigned[stage] = (*assigned.get(stage, ()), by_commit.get(commit) if holds else None)
    return Registry(tuple(left), assigned)


def register(name: str, message: str) -> Version:
    """Register the present commit as a version.

    Raises:
        CompactLMError: the commit already has a version, or git cannot write the tag.
    """
    from gto import api
    from gto.exceptions import GTOException

    try:
        api.register(".", ARTIFACT, "HEAD", version=name, message=message)
    except GTOException as error:
        raise CompactLMError(f"{ARTIFACT}@{name} cannot be registered ({error}); fix that and run the command again") from None
    return Version(name, git("rev-parse", "HEAD").strip())


def assign(version: Version, stage: str, message: str) -> str:
    """Assign a stage to a version, even if it had the stage before. Return the tag.

    Raises:
        CompactLMError: git cannot write the tag.
    """
    from gto import api
    from gto.exceptions import GTOException

    try:
        found = api.assign(".", ARTIFACT, stage, version=version.name, message=message, force=True)
    except GTOException as error:
        raise CompactLMError(f"{stage} cannot be assigned to {version.tag} ({error}); fix that and run the command again") from None
    return str(found.tag)


def fetch(version: Version, path: Path) -> Path:
    """Copy the files of a version from DVC's cache or remote, and return their path.

    Args:
        version: the version.
        path: an artifact, such as models/export.

    Raises:
        CompactLMError: neither the cache nor a remote has them.
    """
    target = FETCHED / version.commit / path
    if target.exists():
        return target
    from dvc.api import DVCFileSystem

    try:
        with artifacts.replacing(target) as unfinished:
            DVCFileSystem(".", rev=version.commit).get(path.as_posix(), str(unfinished), recursive=True)
    except Exception as error:  # noqa: BLE001 - DVC raises many types for files that are missing here and there
        shutil.rmtree(target, ignore_errors=True)
        said = " ".join(str(error).split())[:200]
        raise CompactLMError(
            f"{path} of {version.tag} is neither in DVC's cache nor in a remote ({said or type(error).__name__}); run "
            f"`dvc fetch` where it was trained and `dvc push`, or `git checkout {version.tag} && dvc repro`"
        ) from None
    return target
