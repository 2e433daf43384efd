"""The place of the torture: a clone on a small disk of its own, an undisturbed run to compare with, and what the system allows."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from compactlm.artifacts import file_sha256

DISK_MEGABYTES = 700
LIBRARY = "faketime/libfaketime.so.1"
ROOTS = ("data", "models", "reports")
GIVEN = ("data/sources", "models/sources")  # not outputs
BY_TIME = "reports/timings"
CARD = "models/student/README.md"  # the report copies it there, outside of DVC
CACHES = (".dvc/cache", ".cache")  # DVC's and that of downloads


def _quiet(*command: str) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


class Place:
    """The directories of a torture, below one directory that survives between runs."""

    def __init__(self, home: Path) -> None:
        """Use `home`, which need not exist."""
        self.home = home
        self.disk, self.reference, self.wheels, self.logs, self.findings = (
            home / name for name in ("disk", "reference", "wheels", "logs", "findings")
        )
        self.project = self.disk / "project"
        self.clock = home / "clock"
        self.modules = home / "modules.txt"

    @property
    def small(self) -> bool:
        """Whether the project lies on a small disk of its own."""
        return os.path.ismount(self.disk)

    def prepare(self, source: Path) -> None:
        """Mount the disk, if the system allows it, and clone the last commit of the repository `source`."""
        for path in (self.disk, self.wheels, self.logs, self.findings):
            path.mkdir(parents=True, exist_ok=True)
        if not self.small:
            _quiet("mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "compactlm-torture", str(self.disk))
        shutil.rmtree(self.project, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{source}", str(self.project)], check=True)
        shutil.rmtree(self.project / "tests", ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Return the environment of the processes in the project."""
        own = {
            "PYTHONPATH": str(self.project / "src"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COMPACTLM_CACHE": str(self.project / ".cache"),
            "HF_HUB_OFFLINE": "1",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.project / ".dvc" / "site"),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TQDM_DISABLE": "1",
        }
        return {**{key: value for key, value in os.environ.items() if not key.startswith("DVC")}, **own}

    def false_clock(self) -> dict[str, str]:
        """Return the variables with which a process has the clock that `set_clock` sets, or none if libfaketime is missing.

        The monotonic clock jumps too, because libfaketime cannot leave it alone everywhere.
        """
        library = self.clock_library()
        return {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_CACHE_DURATION": "1"} if library else {}

    def clock_library(self) -> str | None:
        """Return the path of libfaketime, or None."""
        listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout if os.name == "posix" else ""
        known = [line.split("=>")[1].strip() for line in listed.splitlines() if "libfaketime.so" in line]
        guessed = [*known, *(str(path) for path in Path("/usr/lib").glob(f"*/{LIBRARY}")), f"/usr/local/lib/{LIBRARY}"]
        return next((path for path in guessed if Path(path).is_file()), None)

    def set_clock(self, offset: str) -> None:
        """Let the clock jump by an offset such as +3d; the processes see it within a second."""
        self.clock.write_text(f"{offset}\n", encoding="ascii")

    @contextlib.contextmanager
    def full(self, left: int) -> Iterator[None]:
        """Fill the disk but for `left` bytes."""
        ballast = self.disk / "ballast"
        try:
            with ballast.open("wb") as file, contextlib.suppress(OSError):  # the run may take some of the space in between
                os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(self.disk).free - left))
            yield
        finally:
            ballast.unlink(missing_ok=True)

    @contextlib.contextmanager
    def read_only(self, name: str) -> Iterator[None]:
        """Make one of CACHES read-only, by a mount, because the administrator may write to read-only files."""
        path = str(self.project / name)
        Path(path).mkdir(parents=True, exist_ok=True)
        mounted = _quiet("mount", "--bind", path, path) and _quiet("mount", "-o", "remount,bind,ro", path)
        try:
            yield
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", path], check=True)

    def restore(self, fresh: bool) -> None:
        """Remove all outputs, caches and locks; unless `fresh`, put those of the undisturbed run in their place."""
        others = [
            path for root in ROOTS[:2] for path in (self.project / root).iterdir() if str(path.relative_to(self.project)) not in GIVEN
        ]
        unfinished = [path for path in (self.project / "reports").rglob(".*") if path.is_file()]
        outputs = [self.project / path for path in self.outputs()]
        for path in [
            *others,
            *unfinished,
            *outputs,
            *(self.project / name for name in (".dvc/cache", ".dvc/tmp", ".dvc/site", ".cache", "dvc.lock")),
        ]:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        if not fresh:
            shutil.copytree(self.reference, self.project, symlinks=True, dirs_exist_ok=True)

    def keep_reference(self) -> None:
        """Keep the outputs of a run as the reference."""
        shutil.rmtree(self.reference, ignore_errors=True)
        for name in (*ROOTS, ".dvc/cache", ".cache"):
            if (self.project / name).is_dir():
                shutil.copytree(self.project / name, self.reference / name, symlinks=True)
        shutil.copy2(self.project / "dvc.lock", self.reference / "dvc.lock")

    def stages(self) -> list[str]:
        """Return the names of the stages in dvc.yaml, in order."""
        return list(yaml.safe_load((self.project / "dvc.yaml").read_text(encoding="utf-8"))["stages"])

    def outputs(self, stage: str | None = None) -> list[Path]:
        """Return the paths of the outputs of a stage or of all stages, as dvc.yaml lists them."""
        stages = yaml.safe_load((self.project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
        listed = [
            item
            for name, content in stages.items()
            if stage in (None, name)
            for group in ("outs", "metrics", "plots")
            for item in content.get(group, [])
        ]
        return [Path(item if isinstance(item, str) else next(iter(item))) for item in listed]

    def hashes(self, root: Path, stages: Sequence[str]) -> dict[str, str]:
        """Return the sha256 of each file of the outputs of some stages below `root`, without timings."""
        paths = [root / path for stage in stages for path in self.outputs(stage)]
        files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
        named = {str(file.relative_to(root)): file for file in files}
        return {name: file_sha256(file) for name, file in sorted(named.items()) if not name.startswith(BY_TIME) and name != CARD}
