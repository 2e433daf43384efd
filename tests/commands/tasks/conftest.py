import pytest

from compactlm import CompactLM


@pytest.fixture(autouse=True)
def model(monkeypatch, heads_export):
    """A tiny model with a task of each kind is the default."""
    monkeypatch.setenv("COMPACTLM_MODEL", str(heads_export))


@pytest.fixture(scope="session")
def lm(heads_export):
    """The same model in Python."""
    return CompactLM(heads_export, threads=1)


def _table(output):
    return [line.split("\t") for line in output.splitlines()]


@pytest.fixture(scope="session")
def table():
    """A function that splits an output into lines and cells."""
    return _table
