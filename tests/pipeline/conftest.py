"""The smoke preset, run once for all tests of the pipeline."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.fixtures.checkout import Checkout, new_checkout


def run_smoke(directory: Path) -> Checkout:
    checkout = new_checkout(directory)
    checkout.run("compactlm", "preset", "smoke")
    checkout.run("dvc", "repro")
    checkout.commit("Run the smoke preset")
    return checkout


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The smoke preset, run through DVC from an empty cache and committed."""
    own = tmp_path_factory.mktemp("smoke")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return run_smoke(own)
    # Several workers share the run, each in a copy of its own, since tests change what they are given.
    shared = tmp_path_factory.getbasetemp().parent / "smoke"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            run_smoke(own)
            own.rename(shared)
    shutil.copytree(shared, own, symlinks=True, dirs_exist_ok=True)
    return Checkout(own)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout in which nothing has run, with the smoke preset's parameters."""
    fresh = new_checkout(tmp_path)
    fresh.run("compactlm", "preset", "smoke")
    return fresh
