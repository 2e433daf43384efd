"""The verdicts of a gate on other samples of the same text."""

import numpy as np

from compactlm.fairness.audit.predictions import audit_groups
from compactlm.fairness.corrected import correct
from compactlm.fairness.gate import Gate
from compactlm.fairness.roles import STUDENT, TEACHER
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from tests.fixtures.builders import make_row

REPLICATES = 100
AT_MOST = 0.1  # the share of samples in which any verdict may differ


def verdicts(rows, favorable, predicted, chosen, settings):
    """Return the status of each check on the rows at these positions."""
    own = {role: said[chosen] for role, said in predicted.items()}
    right = {role: said == favorable[chosen] for role, said in own.items()}
    audit = audit_groups([rows[at] for at in chosen], "gender", favorable[chosen], right, own, settings, Resampler(200, 3))
    return [figure.status for _, figure in Gate.of("model", correct(audit.metrics(), 0.95)).checks]


def test_few_verdicts_differ_where_the_smallest_cell_has_about_as_many_rows_as_are_needed(settings):
    rng = np.random.default_rng(0)
    texts = ["she"] * 66 + ["he"] * 200 + ["it"] * 700
    rows = [make_row(str(at), text, label="x") for at, text in enumerate(texts)]
    favorable = np.array([at % 2 == 0 for at in range(len(texts))])
    favorable[:66] = [at < 34 for at in range(66)]  # so the smallest cell of the average odds has 32 rows, and 30 are needed
    said = {role: favorable ^ (rng.random(len(texts)) < 0.15) for role in (TEACHER, STUDENT)}
    base = verdicts(rows, favorable, said, np.arange(len(rows)), settings(minimum=30))
    assert Status.NOT_JUDGED not in base
    other = [verdicts(rows, favorable, said, rng.integers(0, len(rows), len(rows)), settings(minimum=30)) for _ in range(REPLICATES)]
    assert np.mean([found != base for found in other]) <= AT_MOST
    changes = {frozenset((one, two)) for found in other for one, two in zip(found, base, strict=True) if one is not two}
    assert frozenset((Status.OK, Status.VIOLATED)) not in changes
