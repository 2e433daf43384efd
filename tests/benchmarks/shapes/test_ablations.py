"""Every row of configs/ablations.yaml is an experiment that can run."""

from pathlib import Path

import pytest
import yaml

from benchmarks.ablations import leave_out
from benchmarks.shapes.config import compose
from compactlm.errors import CompactLMError

ROOT = Path(__file__).parents[3]
LISTED = yaml.safe_load((ROOT / "configs/ablations.yaml").read_text(encoding="utf-8"))
ROWS = [(phase, row) for phase in ("general", "task") for row in LISTED[phase]]
# Attention losses need as many heads as the teacher has, and therefore another shape.
SHAPE = {"hidden_size", "attention_heads", "intermediate_size"}


@pytest.fixture(scope="module")
def default():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return compose([], "the default")


@pytest.mark.parametrize(("phase", "row"), ROWS, ids=[f"{phase}: {row['name']}" for phase, row in ROWS])
def test_a_row_differs_from_the_default_only_in_distillation(phase, row, default, monkeypatch):
    monkeypatch.chdir(ROOT)
    params = compose([*LISTED["common"], *row.get("overrides", [])], row["name"])
    # Only the number of masked validation words of the teacher may differ.
    kept = {"signals": True, "distill": True, "student": True, "teacher": {"validation_words"}}
    assert params.model_dump(exclude=kept) == default.model_dump(exclude=kept)
    assert params.teacher.validation_words >= default.teacher.validation_words
    # All rows share one vocabulary, so that they are compared on the same tokens and signals.
    differing = {"initialisation"} | (SHAPE if params.distill.task.attention.weight else set())
    assert params.student.model_dump(exclude=differing) == default.student.model_dump(exclude=differing)
    assert params.signals.general == default.signals.general
    # Fewer rows are not a subset of the cached rows.
    assert params.signals.task == default.signals.task or params.signals.source == "online"


def test_copies_and_weights_can_be_left_out():
    class Rows:
        augmented = (1, 2)

        def task(self, name, weights=None):
            return name, weights

    rows = Rows()
    leave_out(rows, "copies")
    assert not rows.augmented
    assert rows.task("a", {"x": 2.0}) == ("a", {"x": 2.0})
    leave_out(rows, "weights")
    assert rows.task("a", {"x": 2.0}) == ("a", None)
    with pytest.raises(CompactLMError, match="choose copies or weights"):
        leave_out(rows, "all")
    assert {row["without"] for _, row in ROWS if "without" in row} == {"copies", "weights"}


def test_names_are_unique():
    names = [(phase, row["name"]) for phase, row in ROWS]
    assert len(set(names)) == len(names)
