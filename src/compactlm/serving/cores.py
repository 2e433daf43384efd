"""The number of CPU cores that this process may use. In a container it may be smaller than that of the host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def usable_cores(proc: Path = PROC, cgroup: Path = CGROUP) -> int:
    """Return the number of whole cores that the process may use, at least 1.

    It is the minimum of the CPU affinity and the quotas of the process's control groups (versions 1 and 2). A quota is rounded down,
    because additional threads would be throttled.

    Args:
        proc: the directory of the proc file system.
        cgroup: the directory where control groups are mounted.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([available, *_quotas(proc, cgroup)])))


def _quotas(proc: Path, cgroup: Path) -> Iterator[float]:
    """Yield the quota, in cores, of each control group of the process and of its parents."""
    for line in _read(proc / "self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        # In a container the path is that of the host, and the container's own group is mounted at the root.
        roots = [cgroup] if not controllers else [cgroup / "cpu", cgroup / controllers]
        inner = [part for part in path.split("/") if part and part != ".."]
        for root in roots:
            for depth in range(len(inner) + 1):
                yield from _quota(root.joinpath(*inner[:depth]))


def _quota(group: Path) -> Iterator[float]:
    quota, _, period = _read(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    if quota.strip().isdigit() and period.strip().isdigit() and int(period) > 0:
        yield int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
