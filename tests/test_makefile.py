"""What `make` does around the commands that it runs."""

import shutil
import subprocess
from pathlib import Path

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def test_after_train_the_card_beside_the_student_is_that_of_the_report(tmp_path):
    # As where DVC takes the student and the report from its cache: the card of an earlier student is left beside the new one.
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
