"""Settings and fixtures for all tests. Imports neither torch nor transformers, so that tests of text do not load them."""

import os
import sys
from pathlib import Path

# The libraries read these when they are imported. Tests must not use the network or send telemetry.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Idle threads sleep. With busy waiting, a stage with 2 threads used 4 to 6 times the CPU time next to another test process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.pop("COLUMNS", None)  # the output of commands must not depend on the terminal of whoever runs the tests

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.browsers", "tests.fixtures.heads", "tests.fixtures.tiny", "tests.fixtures.watched"]

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
settings.load_profile("tests")

# The slowest files start first when several workers run, so that no worker ends long after the others.
LONGEST = ["test_smoke.py", "test_bert_base.py", "test_report_stage.py"]


def pytest_collection_modifyitems(config, items):
    """Sort the slowest files first in worker processes. A single process keeps the order of the names."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish():
    """Settle torch if a test module imported it."""
    if "torch" in sys.modules:
        from tests.fixtures.tiny import settle_torch

        settle_torch()


def pytest_make_parametrize_id(val, argname):
    """Name bytes after their argument. Archives contain the time, and all workers must find tests of the same names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


def pytest_terminal_summary(terminalreporter):
    """Show the figures that passing tests recorded."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def default_params():
    """The text of params.yaml for the default preset, with the content of the files that it names."""
    import yaml

    from compactlm.params.files import insert_files
    from compactlm.presets import compose

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[1])
        return yaml.safe_dump(insert_files(yaml.safe_load(compose("default"))), sort_keys=False)


@pytest.fixture
def cli(monkeypatch, capsysbinary):
    """Run the command line in this process with bytes as standard input. Return the exit status, the output and the errors."""
    import io

    from compactlm.cli import main

    def run(*arguments, given=b""):
        monkeypatch.setattr(sys, "argv", ["compactlm", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsysbinary.readouterr()
        return caught.value.code or 0, captured.out.decode(), captured.err.decode()

    return run
