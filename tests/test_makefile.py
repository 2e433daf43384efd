"""The targets of the Makefile."""

import shutil
import subprocess
from pathlib import Path

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def test_train_copies_the_model_card_of_the_report_to_the_student(tmp_path):
    # DVC may restore the student from its cache, and then an old card lies next to it.
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    for command in ("compactlm", "dvc"):
        script = tmp_path / ".venv/bin" / command
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)
    (tmp_path / ".venv/.installed").touch()
    card, copy = tmp_path / "reports/model-card.md", tmp_path / "models/student/README.md"
    for path, text in ((card, "new"), (copy, "old")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    done = subprocess.run(["make", "train"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert copy.read_text() == "new"
