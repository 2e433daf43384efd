import pytest

from benchmarks.play_loop import Amounts, sections, surprises


def verdict(status: int, *refused_by: str) -> dict[str, object]:
    return {"status": status, "refused_by": list(refused_by), "tasks": {"sentiment": {}}}


@pytest.mark.parametrize(
    ("good", "poisoned", "told"),
    [
        (verdict(0), verdict(1, "sentiment, old test rows", "sentiment, short"), []),
        (verdict(2, "sentiment, old test rows"), verdict(1, "sentiment, old test rows"), ["not promoted (sentiment, old test rows)"]),
        (verdict(0), verdict(1, "sentiment, gain on old test rows"), ["not refused by old test rows (sentiment, gain on old test rows)"]),
        (verdict(0), verdict(0), ["not refused by old test rows ()"]),
        (verdict(1, "sentiment, new test rows"), verdict(2, "sentiment, old test rows"), ["not promoted", "not refused"]),
    ],
)
def test_a_verdict_for_another_reason_is_told(good, poisoned, told) -> None:
    found = surprises({"good": good, "poisoned_verdict": poisoned})
    assert len(found) == len(told)
    assert all(part in sentence for part, sentence in zip(told, found, strict=True))


def test_the_report_has_both_tables_and_the_seconds() -> None:
    seconds = {"01 compactlm promote": 3.25, "02 dvc repro": 60.0}
    found = {"preset": "loop", **vars(Amounts()), "seconds": seconds, "total_seconds": 63.25, "tables": ["| a |\n", "| b |\n"]}
    text = "\n\n".join(sections(found))
    assert "## True labels of new text\n\n| a |\n\n## Flipped labels\n\n| b |\n\n## Steps" in text
    assert "| dvc repro | 60.0 |" in text
    assert "All steps took 1.1 minutes." in text
