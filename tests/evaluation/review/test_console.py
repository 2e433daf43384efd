"""The review through git and DVC, in a small repository."""

import json
import subprocess
import sys

import pytest

from compactlm.errors import CompactLMError
from compactlm.evaluation.review.console import EVALUATE, metrics_diff


def write(directory, accuracy):
    path = directory / EVALUATE
    path.parent.mkdir(parents=True, exist_ok=True)
    student = {"accuracy": {"value": accuracy, "low": accuracy - 0.01, "high": accuracy + 0.01}}
    path.write_text(json.dumps({"tasks": {"sentiment": {"quality": {"student": student}}}}))


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a repository with a commit without metrics and a commit with metrics."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")

    def git(*arguments):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments], check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], check=True, capture_output=True)
    (tmp_path / "dvc.yaml").write_text(f"metrics:\n  - {EVALUATE}\n")
    git("add", "--all")
    git("commit", "--message", "Begin")
    git("tag", "begin")
    write(tmp_path, 0.8)
    git("add", "--all")
    git("commit", "--message", "Evaluate")
    return tmp_path


@pytest.mark.slow
def test_exit_statuses_for_ci(repository, cli):
    status, output, _ = cli("review")
    assert (status, "Verdict: no worse than main" in output) == (0, True)
    write(repository, 0.7)
    status, output, _ = cli("review", "HEAD")
    assert (status, "Verdict: worse than HEAD (0 better, 1 worse, 0 within the interval)" in output) == (1, True)
    status, output, _ = cli("review", "HEAD", "--markdown")
    assert (status, output.startswith("### Verdict: worse than HEAD (0 better, 1 worse, 0 within the interval)\n")) == (1, True)
    assert "| evaluate: tasks.sentiment.quality.student.accuracy | 0.8 | 0.7 | -0.1 | 0.01414 | worse |" in output
    for revision, problem in (("begin", "revision begin has no reports/metrics/evaluate.json"), ("nowhere", "'nowhere' does not exist")):
        status, _, errors = cli("review", revision)
        assert (status, problem in errors) == (2, True)


def test_a_workspace_without_metrics_cannot_be_compared(repository):
    (repository / EVALUATE).unlink()
    with pytest.raises(CompactLMError, match=r"^the workspace has no reports/metrics/evaluate.json to compare"):
        metrics_diff("main")
