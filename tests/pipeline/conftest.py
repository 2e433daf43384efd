"""The smoke preset, run once for all tests of the pipeline."""

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
    """Return a checkout in which DVC ran the smoke preset from an empty cache, and its commit."""
    own = tmp_path_factory.mktemp("smoke")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return run_smoke(own)
    # Several workers share the run. Each gets a copy, because tests change it.
    shared = tmp_path_factory.getbasetemp().parent / "smoke"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            run_smoke(own)
            own.rename(shared)
    shutil.copytree(shared, own, symlinks=True, dirs_exist_ok=True)
    return Checkout(own)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout with the smoke preset's parameters in which nothing has run."""
    fresh = new_checkout(tmp_path)
    fresh.run("compactlm", "preset", "smoke")
    return fresh
