import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from compactlm.improvement.promotion.comparing import FLIPS, GAIN, NEW, OLD, Answered, Compared, Line, compare
from compactlm.improvement.promotion.settings import FILE, Promotion, read_settings
from compactlm.improvement.promotion.showing import cells
from compactlm.params import Slices
from tests.fixtures.builders import make_attribute, make_row

SETTINGS = Promotion.model_validate(
    {
        "stage": "production",
        "margin": 0.02,
        "gain": 0.001,
        "rows": 100,
        "slices": {"margin": 0.1, "rows": 100},
        "groups": {"margin": 0.1, "rows": 50},
        "negative_flips": None,
    }
)
SLICES = Slices(lengths=(4, 9), negations=["not"], negation_endings=["n't"], rare_below=1)
RESAMPLER = Resampler(1000, 3)
PARTS = Compared(SLICES, [], {"gender": make_attribute({"men": ["he"], "women": ["she"]})})


def answered(old: Sequence[tuple[int, bool, bool]], new: Sequence[tuple[int, bool, bool]] = (), text: str = "a film") -> Answered:
    """Return rows: how many are right or wrong by champion and challenger, in the old and in the new test rows."""
    cells = [(before, after, is_new) for part, is_new in ((old, False), (new, True)) for n, before, after in part for _ in range(n)]
    random.Random(5).shuffle(cells)
    rows = [make_row(number, f"{text} {number}", label="good") for number in range(len(cells))]
    champion, challenger = (["good" if cell[side] else "bad" for cell in cells] for side in (0, 1))
    return Answered(rows, np.array([cell[2] for cell in cells], dtype=bool), champion, challenger)


def table(found: Answered, **changes: Any) -> dict[str, Line]:
    return {line.name: line for line in compare("sentiment", found, PARTS, SETTINGS.model_copy(update=changes), RESAMPLER)}


def refusing(lines: dict[str, Line]) -> dict[str, Status]:
    return {name: line.refuses for name, line in lines.items() if line.refuses}


SAME = [(900, True, True), (80, False, False), (10, True, False), (10, False, True)]
BETTER = [(200, True, True), (100, False, True), (20, True, False), (80, False, False)]


def test_a_model_that_keeps_old_rows_and_gains_on_new_ones_is_not_refused() -> None:
    lines = table(answered(SAME, BETTER))
    assert refusing(lines) == {}
    assert all(line.figure.rows for line in lines.values())  # a slice without rows has no line
    assert lines[NEW].figure.value == pytest.approx(0.2)
    assert (lines[OLD].champion.value, lines[OLD].challenger.value) == (0.91, 0.91)
    assert lines[FLIPS].figure.value == pytest.approx(30 / 1400)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([(800, True, True), (100, True, False), (100, False, False)], BETTER, {OLD: Status.VIOLATED}),
        ([(900, True, True), (60, True, False), (40, False, True)], BETTER, {OLD: Status.UNDECIDED}),
        (SAME, [(200, True, True), (10, False, True), (12, True, False)], {NEW: Status.UNDECIDED}),
        (SAME, [(200, True, True), (60, True, False)], {NEW: Status.VIOLATED}),
        (SAME, [(200, True, True)], {NEW: Status.VIOLATED}),  # equal answers are no gain
        (SAME, [(20, False, True), (10, True, True)], {NEW: Status.UNDECIDED}),  # too few rows
        ([(50, True, True)], BETTER, {OLD: Status.UNDECIDED}),
        # Without new rows, the gain is asked of the old ones, next to the margin.
        (SAME, [], {GAIN: Status.UNDECIDED}),
        ([(800, True, True), (100, True, False), (100, False, False)], [], {OLD: Status.VIOLATED, GAIN: Status.VIOLATED}),
        ([(985, True, True), (15, True, False)], [], {OLD: Status.UNDECIDED, GAIN: Status.VIOLATED}),
        ([(900, True, True), (60, False, True), (10, True, False)], [], {}),
    ],
)
def test_the_lines_that_refuse(old: list[Any], new: list[Any], expected: dict[str, Status]) -> None:
    lines = table(answered(old, new))
    assert refusing(lines) == expected
    assert (NEW in lines, GAIN in lines) == (bool(new), not new)


def test_a_slice_a_group_and_negative_flips_can_refuse() -> None:
    good = answered([(1000, True, True)], [(200, False, True), (200, True, True)])
    worse = answered([(10, True, True), (190, True, False)], text="he did not like a film of this long and slow kind")
    rows = [*good.rows, *(make_row(f"w{number}", row.text, label="good") for number, row in enumerate(worse.rows))]
    both = Answered(
        rows, np.append(good.is_new, np.ones(200, dtype=bool)), [*good.champion, *worse.champion], [*good.challenger, *worse.challenger]
    )
    lines = table(both, gain=1e-9, negative_flips=0.05)
    assert {"negation: with", "gender: men", FLIPS} <= set(refusing(lines))
    assert lines["negation: with"].refuses is lines["gender: men"].refuses is lines[FLIPS].refuses is Status.VIOLATED
    assert both.flips == [position for position in range(1400, 1600) if both.challenger[position] == "bad"]


@pytest.mark.parametrize(
    ("size", "lost", "status"),
    [
        (20, 20, None),  # too few rows for an interval
        (60, 60, Status.VIOLATED),
        (60, 4, None),  # undecided, on so few rows that equal models are often undecided, too
        (120, 9, Status.UNDECIDED),
        (120, 1, None),
    ],
)
def test_a_part_refuses_if_it_is_worse_and_if_enough_rows_leave_it_undecided(size: int, lost: int, status: Status | None) -> None:
    most = answered([(1000, True, True)], BETTER)
    part = [make_row(f"n{number}", "he did not", label="good") for number in range(size)]
    joined = Answered(
        [*most.rows, *part],
        np.append(most.is_new, np.zeros(size, dtype=bool)),
        [*most.champion, *["good"] * size],
        [*most.challenger, *["bad"] * lost, *["good"] * (size - lost)],
    )
    parts = SETTINGS.slices.model_copy(update={"rows": 100})
    lines = table(joined, slices=parts, groups=parts, margin=0.5)
    assert lines["negation: with"].refuses is lines["gender: men"].refuses is status
    assert lines["negation: with"].figure.judged == (size >= 30)
    undecided = lines["negation: with"].figure.status is Status.UNDECIDED and status is None
    assert (cells(lines["negation: with"])[-1] == "undecided, fewer than 100 rows") == undecided


def test_rows_of_one_document_are_resampled_together() -> None:
    found = answered([(900, True, True), (60, False, True), (40, True, False)])
    single = table(found)[OLD].figure
    grouped = Answered(
        [make_row(row.id, row.text, label="good", document=f"d{int(row.id, 16) // 100}") for row in found.rows],
        found.is_new,
        found.champion,
        found.challenger,
    )
    blocks = table(grouped)[OLD].figure
    assert single.value == blocks.value == pytest.approx(0.02)
    assert blocks.low != single.low


def test_the_committed_limits_are_valid_and_a_wrong_one_is_told(tmp_path) -> None:
    assert read_settings(FILE.resolve()).stage == "production"
    (tmp_path / "p.yaml").write_text("stage: production\nmargin: 2\n")
    with pytest.raises(Exception, match=r"p.yaml: margin is 2, but .*; and gain is missing"):
        read_settings(tmp_path / "p.yaml")
