import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks import KINDS, task_of_config
from compactlm.tasks.answers import Tags
from compactlm.tasks.base import IGNORED, NOWHERE, UNLABELLED, Input
from tests.tasks.texts import LENGTHS, WORDS

TAGGING = KINDS["tagging"]
TYPES = ("person", "place")
BIO = ["O", "B-person", "I-person", "B-place", "I-place"]
TAGGED = st.lists(st.tuples(WORDS, st.sampled_from(BIO)), max_size=30)


def row_of(words, tags=None):
    return Input(" ".join(words), words=tuple(words), tags=None if tags is None else tuple(tags))


@given(TAGGED, LENGTHS)
def test_labels_of_words_in_are_labels_of_words_out(segmenters, make_task, told_outputs, strip_targets, tagged, length):
    task = make_task("tagging", BIO)
    row = row_of([word for word, _ in tagged], [tag for _, tag in tagged])
    for segmenter in segmenters:
        (examples,) = TAGGING.encode(segmenter, [row], task, length, places=True)
        logits = told_outputs(examples, len(BIO))
        (answer,) = TAGGING.answers([logits], [strip_targets(examples)], [row], task, {})
        assert answer.tags == row.tags
        assert answer.words == row.words
        assert all(probability > 0.99 for probability in answer.probabilities)


@given(TAGGED, LENGTHS)
def test_both_segmentations_ask_for_the_same_tags(segmenters, make_task, tagged, length):
    task = make_task("tagging", BIO)
    row = row_of([word for word, _ in tagged], [tag for _, tag in tagged])
    for segmenter in segmenters:
        (examples,) = TAGGING.encode(segmenter, [row], task, length)
        targets = [number for example in examples for number in example.target if number != IGNORED]
        assert [BIO[int(number)] for number in targets] == list(row.tags)
        assert all(len(example.input_ids) == len(example.target) <= length and example.places is None for example in examples)


def test_unlabelled_words_have_places_but_no_tags(segmenters, make_task):
    task = make_task("tagging", TYPES)
    (examples,) = TAGGING.encode(segmenters[0], [Input("the film, was")], task, 20, places=True)
    assert examples[0].target == [IGNORED, *[UNLABELLED] * 4, IGNORED]
    assert examples[0].places == [NOWHERE, (0, 1), (1, 2), (2, 3), (3, 4), NOWHERE]
    assert not TAGGING.is_labelled(Input("the film"))
    batch = {"labels": torch.from_numpy(TAGGING.collate([examples[0].target], 8)), "teacher_logits": torch.randn(1, 8, 5)}
    assert batch["labels"][0].tolist() == [IGNORED, *[UNLABELLED] * 4, *[IGNORED] * 3]
    assert TAGGING.hard_loss(torch.randn(1, 8, 5), batch).item() == 0
    assert TAGGING.soft_loss(torch.randn(1, 8, 5), batch, 2.0).item() > 0


@pytest.mark.parametrize("words", [[], ["good"], ["good", "film"] * 5000, ["👩‍👩‍👧‍👦", "\u200b", "שלום"], ["a" * 10_000]])
def test_texts_of_any_length_have_a_tag_a_word(segmenters, make_task, words):
    task, row = make_task("tagging", TYPES), row_of(words)
    (examples,) = TAGGING.encode(segmenters[0], [row], task, 64, places=True)
    logits = [np.zeros((len(example.input_ids), 5), np.float32) for example in examples]
    (answer,) = TAGGING.answers([logits], [examples], [row], task, {})
    assert answer.tags == ("O",) * len(words)


def test_rows_in_either_scheme_have_the_tags_of_a_task_with_types(make_task):
    task = make_task("tagging", TYPES)
    assert TAGGING.names(task) == BIO
    row = row_of(["a", "b", "c", "d"], ["B-person", "E-person", "S-place", "O"])
    assert TAGGING.invalid(row, task) is None
    assert TAGGING.tags(row, task) == ["B-person", "I-person", "B-place", "O"]
    assert TAGGING.invalid(row, make_task("tagging", BIO)) == ("the tag 'E-person' is not one of O, B-person, I-person, B-place, I-place")


@pytest.mark.parametrize(
    ("words", "tags", "problem"),
    [
        (["a", "b"], ["O"], "the row has 2 words but 1 tags"),
        (["a"], ["O", "O"], "the row has 1 words but 2 tags"),
        (["a"], ["B-thing"], "the tag 'B-thing' is not one of O, B-person, I-person, B-place, I-place"),
        (["a"], ["person"], "the tag 'person' is not one of O, B-person, I-person, B-place, I-place"),
        ([], [], None),
        (["a"], ["I-place"], None),
    ],
)
def test_malformed_rows_are_told(make_task, words, tags, problem):
    assert TAGGING.invalid(row_of(words, tags), make_task("tagging", TYPES)) == problem


@pytest.mark.parametrize(
    ("labels", "others", "part"),
    [
        ([], {}, "labels is empty"),
        (["B-person", "I-person"], {}, "without O"),
        (["O", "person"], {}, "labels lists 'O' beside 'person'"),
        (["B-person", "person"], {}, "labels lists 'B-person' beside 'person'"),
        (["person", "person"], {}, "two labels have the same name"),
        (["person"], {"pair": True}, "pair is true"),
        (["person"], {"metric": "accuracy"}, "metric accuracy is not one of entity_f1, token_accuracy"),
    ],
)
def test_contradictions_of_a_task_are_told(make_task, labels, others, part):
    assert any(part in problem for problem in TAGGING.problems(make_task("tagging", labels, **others)))


def test_a_sound_task_has_no_problem(make_task):
    for labels, metric in ((TYPES, "entity_f1"), (BIO, "entity_f1"), (BIO, "token_accuracy"), (("NOUN", "VERB", "O"), "token_accuracy")):
        assert list(TAGGING.problems(make_task("tagging", labels, metric))) == []


def test_plain_tags_are_read_as_they_are(make_task):
    task = make_task("tagging", ["NOUN", "VERB"], "token_accuracy")
    row = row_of(["dogs", "bark"], ["NOUN", "VERB"])
    assert TAGGING.names(task) == ["NOUN", "VERB"]
    assert TAGGING.invalid(row, task) is None
    assert TAGGING.strata(row, task) == ""
    assert TAGGING.expected(row, task) == "dogs/NOUN bark/VERB"
    assert TAGGING.outcome(None, [row], task, None) is None
    assert TAGGING.outcome(None, [row], task, "NOUN").tolist() == [0.5]
    assert "entities" not in TAGGING.to_json(Tags(row.tags, (0.5, 0.5), row.words), task, {})


@pytest.mark.parametrize(("labels", "metric"), [(["NOUN", "VERB"], "token_accuracy"), (BIO, "entity_f1")])
def test_a_finished_model_has_the_same_tags_again(make_task, labels, metric):
    task = make_task("tagging", labels, metric)
    names = TAGGING.names(task)
    config = {
        "architectures": [TAGGING.architecture],
        "id2label": {str(at): name for at, name in enumerate(names)},
        **TAGGING.settings(task),
    }
    found = task_of_config(config)
    assert (found.kind, TAGGING.names(found), found.metric) == ("tagging", names, metric)


def test_figures_and_chance(make_task):
    task = make_task("tagging", TYPES)
    rows = [row_of(["Kim", "saw", "Bern"], ["B-person", "O", "B-place"]), row_of(["no", "one"], ["O", "O"])]
    answers = [Tags(("B-person", "O", "O"), (1.0,) * 3, rows[0].words), Tags(("O", "O"), (1.0,) * 2, rows[1].words)]
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    found = TAGGING.measure(answers, rows, task, weights, {})
    assert set(found) == set(TAGGING.metrics)
    assert found["entity_f1"].tolist() == pytest.approx([2 / 3, 2 / 3, 0])
    assert found["token_accuracy"].tolist() == pytest.approx([4 / 5, 2 / 3, 1])
    # B-person everywhere: one of five answered entities is right, of two expected.
    assert TAGGING.chance(rows, task, weights[:1]).tolist() == pytest.approx([2 / 7])
    assert TAGGING.chance(rows, make_task("tagging", BIO, "token_accuracy"), weights[:1]).tolist() == pytest.approx([3 / 5])
    assert TAGGING.right(answers, rows, task) is None


def test_answers_are_shown_with_their_words(make_task):
    task = make_task("tagging", TYPES)
    answer = Tags(("B-person", "I-person", "O"), (0.9, 0.8, 0.7), ("Kim", "Li", "sang"))
    assert TAGGING.show(answer, task, {}) == "Kim/B-person Li/I-person sang"
    found = TAGGING.to_json(answer, task, {})
    assert found["entities"] == [{"type": "person", "start": 0, "end": 2}]
    assert TAGGING.expected(row_of(["Kim"], ["B-person"]), task) == "Kim/B-person"
    assert TAGGING.strata(row_of(["a", "b"], ["B-place", "B-person"]), task) == "person\x1fplace"
    assert TAGGING.outcome([answer], [row_of(answer.words)], task, None).tolist() == pytest.approx([2 / 3])
    assert TAGGING.outcome([answer], [row_of(answer.words)], task, "place").tolist() == [0]


def test_a_changed_text_keeps_the_tags_of_its_words(make_task):
    row = row_of(["Kim", "saw", "Bern"], ["B-person", "O", "B-place"])
    assert TAGGING.editable(row) == "Kim saw Bern"
    changed = TAGGING.edited(row, "Kin sawe Bern")
    assert (changed.text, changed.words, changed.tags) == ("Kin sawe Bern", ("Kin", "sawe", "Bern"), row.tags)
    assert TAGGING.edited(row, "Kim saw") is None  # an entity is lost


def test_rare_tags_weigh_more_if_asked(make_task):
    targets = [[IGNORED, 0, 0, 0, 1, IGNORED], None]
    assert TAGGING.class_weights(targets, make_task("tagging", TYPES)) is None
    assert TAGGING.class_weights(targets, make_task("tagging", TYPES, class_weights="balanced")) == pytest.approx([2 / 3, 2, 1, 1, 1])
