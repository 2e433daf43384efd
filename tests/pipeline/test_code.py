"""The fingerprint of a stage's code changes with the code and not with its documentation."""

from pathlib import Path

import pytest

from compactlm.pipeline.code import fingerprints

MODULE = '''"""Says what it is."""

# A comment.
RATE = 0.5


class Model:
    """A model."""

    def score(self, x: float) -> float:
        """Return the score."""
        return RATE * x


def helper():
    """Only a docstring."""
'''
DVC = "stages:\n  teach: {cmd: x, deps: [data/raw, src/a, src/b.py, configs/words]}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src/a").mkdir(parents=True)
    (tmp_path / "configs/words").mkdir(parents=True)
    (tmp_path / "dvc.yaml").write_text(DVC)
    (tmp_path / "src/a/model.py").write_text(MODULE)
    (tmp_path / "src/a/page.css").write_text("a {}")
    (tmp_path / "src/b.py").write_text("B = 1\n")
    (tmp_path / "configs/words/groups.yaml").write_text("# words\nwomen: [she]\n")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "before", "after", "changed"),
    [
        ("src/a/model.py", '"""Says what it is."""', '"""Says\n\nmore."""', set()),
        ("src/a/model.py", '"""Return the score."""\n        ', "", set()),
        ("src/a/model.py", "# A comment.", "# Another.", set()),
        ("src/a/model.py", "RATE * x", "(RATE\n            * x)", set()),
        ("src/a/model.py", "RATE * x", "x * RATE", {"src/a"}),
        ("src/a/model.py", "RATE = 0.5", "RATE = 0.25", {"src/a"}),
        ("src/a/page.css", "a {}", "a { }", {"src/a"}),
        ("src/b.py", "B = 1", "B = '1'", {"src/b.py"}),
        ("configs/words/groups.yaml", "# words", "# other words", set()),
        ("configs/words/groups.yaml", "[she]", "[she, her]", {"configs/words"}),
    ],
)
def test_only_changes_of_computing_code_change_a_fingerprint(project: Path, file: str, before: str, after: str, changed: set[str]) -> None:
    first = fingerprints("teach", project)
    assert set(first) == {"src/a", "src/b.py", "configs/words"}
    content = (project / file).read_text()
    assert before in content
    (project / file).write_text(content.replace(before, after))
    second = fingerprints("teach", project)
    assert {name for name in first if first[name] != second[name]} == changed


def test_a_new_module_changes_the_fingerprint_of_its_folder(project: Path) -> None:
    first = fingerprints("teach", project)
    (project / "src/a/more.py").write_text("")
    (project / "src/a/model.pyc").write_bytes(b"compiled")
    assert {name for name, value in fingerprints("teach", project).items() if value != first[name]} == {"src/a"}
