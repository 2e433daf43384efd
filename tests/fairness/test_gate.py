import pytest

from compactlm.errors import CompactLMError
from compactlm.fairness.gate import Gate
from compactlm.fairness.roles import difference_limit, ratio_limit
from compactlm.figures.figure import Figure, Limit, Status, read_figures, write_figures

GOOD = Figure.measured(0.0, -0.05, 0.05, limit=Limit(-0.1, 0.1))
BAD = Figure.measured(0.3, 0.2, 0.4, limit=Limit(-0.1, 0.1))
WIDE = Figure.measured(0.1, -0.05, 0.25, limit=Limit(-0.1, 0.1))
FEW = Figure.measured(0.3, 0.2, 0.4, rows=3, rows_needed=30, limit=Limit(-0.1, 0.1))
FREE = Figure.measured(5.0)


def gate(**figures):
    return Gate.of("model", {"tasks": {"sentiment": {"pairs": figures}}})


def test_limits_are_symmetric_around_parity():
    assert (ratio_limit(0.8), ratio_limit(0.0), difference_limit(0.1)) == (Limit(0.8, 1.25), Limit(0.0), Limit(-0.1, 0.1))


@pytest.mark.parametrize(
    ("figures", "status", "counts"),
    [
        ({}, Status.NOT_JUDGED, (0, 0, 0, 0)),
        ({"free": FREE}, Status.NOT_JUDGED, (0, 0, 0, 0)),
        ({"a": GOOD, "free": FREE}, Status.OK, (1, 0, 0, 0)),
        ({"a": GOOD, "b": WIDE}, Status.UNDECIDED, (2, 0, 1, 0)),
        ({"a": WIDE, "b": FEW}, Status.NOT_JUDGED, (2, 0, 1, 1)),
        ({"a": FEW, "b": BAD, "c": WIDE, "d": GOOD}, Status.VIOLATED, (4, 1, 1, 1)),
    ],
)
def test_a_gate_counts_the_figures_that_have_a_limit(figures, status, counts):
    names = ("checks", "violated", "undecided", "not_judged")
    assert gate(**figures).metrics() == dict(zip(names, counts, strict=True)) | {"status": status}
    assert Gate.of("model", read_figures(write_figures(figures))).metrics() == gate(**figures).metrics(), "as read back from JSON"


def test_the_lines_name_figures_that_are_not_ok_with_the_worst_first():
    assert gate(good=GOOD, wide=WIDE, few_rows=FEW, bad=BAD).lines() == [
        "Model gate: violated (1 violated, 1 not judged, 1 undecided, of 4 checks).",
        "sentiment, bad: 0.300 (0.200 to 0.400) is violated (limit: -0.1 to 0.1)",
        "sentiment, few rows: not judged (3 rows; at least 30 are needed)",
        "sentiment, wide: 0.100 (\N{MINUS SIGN}0.050 to 0.250) is undecided (limit: -0.1 to 0.1)",
    ]


def test_violated_and_not_judged_figures_end_the_stage_and_undecided_ones_do_not():
    gate(bad=BAD, few=FEW).enforce("warn", "page")
    for passing in ({}, {"a": GOOD}, {"a": GOOD, "b": WIDE}):
        gate(**passing).enforce("fail", "page")
    facts = r"sentiment, bad: 0.300 .* sentiment, few: not judged .*see page, .*bias_audit.gate.model"
    with pytest.raises(CompactLMError, match=facts) as caught:
        gate(few=FEW, wide=WIDE, bad=BAD).enforce("fail", "page")
    assert "wide" not in str(caught.value)
    with pytest.raises(CompactLMError, match="few: not judged"):
        gate(few=FEW).enforce("fail", "page")
    with pytest.raises(CompactLMError, match=r"n0: .* n4: .*; and 3 more; see page") as caught:
        gate(**{f"n{at}": BAD for at in range(8)}).enforce("fail", "page")
    assert "n5" not in str(caught.value)
