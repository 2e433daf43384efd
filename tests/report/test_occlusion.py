import pytest

from compactlm.report.occlusion import Occlusion, draw_errors, occlude
from compactlm.report.sections.errors import parts
from tests.fixtures.compared import make_answers

TEXTS = ["The film was very good!", "a  slow story"]


def test_each_token_is_masked_in_turn(readers):
    reader = readers["sentiment"]
    predicted = reader.probabilities(TEXTS).argmax(axis=1).tolist()
    found = occlude(reader, TEXTS, predicted)
    for text, label, one in zip(TEXTS, predicted, found, strict=True):
        assert [text[start:stop].lower() for start, stop in one.spans] == reader.tokenizer.tokenize(text)
        for (start, stop), change in zip(one.spans, one.changes, strict=True):
            masked = f"{text[:start]}[MASK]{text[stop:]}"
            expected = reader.probabilities([text])[0, label] - reader.probabilities([masked])[0, label]
            assert change == pytest.approx(expected, abs=1e-5)


def test_the_draw_of_errors_depends_only_on_seed_and_ids():
    def names(order, seed):
        wrong = [[0.2, 0.8] if name % 2 else [0.9, 0.1] for name in order]
        one = make_answers([0] * len(order), wrong, wrong, ids=[f"row{name}" for name in order])
        return [one.ids[at] for at in draw_errors(one, "student", 5, seed)]

    drawn = names(range(40), 1)
    assert len(drawn) == 5
    assert all(int(name[3:]) % 2 for name in drawn)
    assert names(list(reversed(range(40))), 1) == drawn
    assert names(range(40), 2) != drawn


def test_tokens_are_marked_in_the_whole_text():
    found = parts("so good, not bad", Occlusion(((0, 2), (3, 7), (9, 12)), (0.01, 0.3, -0.12)))
    assert "".join(part.text for part in found) == "so good, not bad"
    marked = {part.text: (part.level, part.against) for part in found if part.level}
    assert marked == {"good": (3, False), "not": (2, True)}
