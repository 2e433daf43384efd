"""The smoke preset, run in a checkout of its own once for all tests of the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_checkout import Checkout, new_checkout


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The smoke preset, run through DVC from an empty cache and committed."""
    checkout = new_checkout(tmp_path_factory.mktemp("smoke"))
    checkout.run("compactlm", "preset", "smoke")
    checkout.run("dvc", "repro")
    checkout.commit("Run the smoke preset")
    return checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout in which nothing has run, with the smoke preset's parameters."""
    fresh = new_checkout(tmp_path)
    fresh.run("compactlm", "preset", "smoke")
    return fresh
