from pathlib import Path

from compactlm.corpus.clean.losses import losses
from tests.corpus.cleaned import cleaned
from tests.fixtures.builders import make_row


def test_a_labelled_source_that_loses_more_than_a_twentieth_is_named_with_a_sample(tmp_path: Path) -> None:
    lengths = {"short": 6, "fine": 5}
    rows = [
        make_row(f"{source}{number}", "y" if number < few else f"a text of {source} {number}", source, "good")
        for source, few in lengths.items()
        for number in range(100)
    ]
    rows += [make_row(f"u{number}", "x", "unlabelled") for number in range(50)] + [make_row("u", "a text without a label", "unlabelled")]
    _, result = cleaned(tmp_path, rows)
    [sentence] = losses(result)
    assert sentence.startswith("6 of 100 rows of the labelled source short are dropped (6 too_short), such as 'y' (too_short)")
