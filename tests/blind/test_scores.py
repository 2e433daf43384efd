import pytest

from compactlm.blind.scores import can_suffice, score, verdict
from compactlm.blind.summary import score_lines
from compactlm.blind.votes import Votes
from compactlm.figures.bootstrap import share
from compactlm.figures.figure import Limit, Status
from tests.blind.voting import vote


def judges(key, *each):
    return [Votes.model_validate(vote(key, right, teacher, f"judge{at}")) for at, (right, teacher) in enumerate(each)]


def always(chosen):
    return lambda at: chosen


def first(key):
    return [at for at, place in enumerate(key.pairs) if place.repeats is None]


def test_shares_count_each_pair_once_and_leave_out_ties(compare):
    key = compare(90, 30).key
    numbers = first(key)
    student, both = set(numbers[:20]), set(numbers[20:30])

    def right(at):
        return "student" if at in student else "both" if at in both else "teacher"

    found = score(key, judges(key, (right, always("neither"))))
    assert (found["pairs"], found["repeats"], found["margin"]) == (90, 30, 0.1)
    figure = found["right"]["share"]
    assert (figure.value, figure.rows, found["right"]["undecided"]) == (0.25, 80, 10)
    wilson = share(20, 80)
    assert (figure.low, figure.high) == (wilson.low, wilson.high)
    assert (wilson.low, wilson.high) == (pytest.approx(0.1681, abs=1e-4), pytest.approx(0.3548, abs=1e-4))  # Wilson's formula by hand
    assert verdict(figure) == "told apart"
    assert (found["teacher"]["share"].value, found["teacher"]["undecided"]) == (None, 90)
    assert verdict(found["teacher"]["share"]) == "no pair is decided"


def test_the_majority_of_the_judges_decides_a_pair(compare):
    key = compare(30, 0).key
    three = [(always(chosen), always("teacher")) for chosen in ("student", "student", "teacher")]
    found = score(key, judges(key, *three))
    assert (found["right"]["share"].value, found["right"]["share"].rows) == (1.0, 30)
    found = score(key, judges(key, *three[1:]))
    assert (found["right"]["share"].rows, found["right"]["undecided"]) == (0, 30)


def test_self_agreement_is_by_content_and_not_by_side(compare):
    key = compare(90, 30).key
    known = judges(key, (always("student"), always("teacher")))
    assert score(key, known)["right"]["self_agreement"]["judge0"].value == 1.0
    left = [{"pair": at, "right": "left", "teacher": "left"} for at in range(len(key.pairs))]
    sided = [Votes.model_validate({"judge": "bo", "page": key.page, "votes": left})]
    for question in ("right", "teacher"):
        same = score(key, sided)[question]["self_agreement"]["bo"]
        assert (same.value, same.rows) == (0.0, 30)


def test_kappa_is_cohens(compare):
    key = compare(40, 0).key

    def one(at):
        return "student" if at < 20 else "teacher"

    def other(at):
        return "student" if at < 15 or at >= 35 else "teacher"

    found = score(key, judges(key, (one, always("teacher")), (other, always("teacher"))))
    # 30 of 40 alike, and half by chance: (0.75 - 0.5) / (1 - 0.5)
    assert found["right"]["kappa"] == {"judge0, judge1": pytest.approx(0.5)}
    assert found["teacher"]["kappa"] == {}


@pytest.mark.parametrize(
    ("right", "rows", "words", "status"),
    [
        (500, 1000, "cannot be told apart", Status.OK),
        (540, 1000, "cannot be told apart", Status.OK),  # beyond chance, but within the margin
        (5, 10, "undecided", Status.UNDECIDED),  # one half, but the interval is too wide
        (580, 1000, "told apart", Status.UNDECIDED),
        (900, 1000, "told apart", Status.VIOLATED),
        (100, 1000, "told apart", Status.VIOLATED),
    ],
)
def test_models_cannot_be_told_apart_only_if_the_whole_interval_is_within_the_margin(right, rows, words, status):
    figure = share(right, rows, limit=Limit(0.4, 0.6))
    assert figure.status is status
    assert verdict(figure).startswith(words)


def test_too_few_pairs_can_never_show_that_models_are_alike():
    assert [can_suffice(pairs, 0.15) for pairs in (2, 30, 40, 100)] == [False, False, True, True]
    assert [can_suffice(pairs, 0.1) for pairs in (60, 90, 94, 150)] == [False, False, True, True]


def test_the_lines_hold_each_figure(compare):
    key = compare(60, 10).key
    two = [(always("student"), always("neither")), (lambda at: "student" if at % 2 else "both", always("teacher"))]
    text = "\n".join(score_lines(score(key, judges(key, *two))))
    for fact in (
        "60 pairs, 10 of them twice; margin 10 points",
        "100.0",
        "self-agreement of judge0",
        "told apart",
        "Cohen's kappa of judge0, judge1",
    ):
        assert fact in text
    nobody = "\n".join(score_lines(score(key, [Votes(judge="ann", page=key.page, votes=[])])))
    assert "0 decided pairs" in nobody
    assert "no pair was judged twice" in nobody
