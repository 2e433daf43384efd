"""classify for pairs and for any number of labels, score, and rerank, compared with the same models in Python."""

import json

import pytest

from compactlm import CompactLM


@pytest.fixture(autouse=True)
def model(monkeypatch, heads_export):
    monkeypatch.setenv("COMPACTLM_MODEL", str(heads_export))


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


@pytest.fixture
def pairs(tiny_texts):
    return list(zip(tiny_texts[:20], tiny_texts[20:40], strict=True))


@pytest.fixture
def rows(tmp_path, pairs):
    """Lines of JSON with pairs, the last of them broken in three ways."""
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"a": first, "b": second}) for first, second in pairs]
    path.write_text("\n".join([*lines, json.dumps({"a": "dog"}), json.dumps({"a": None, "b": "cat"}), "{"]) + "\n")
    return path


def table(output):
    return [line.split("\t") for line in output.splitlines()]


def test_a_pair_is_classified(cli, lm, pairs):
    expected = lm.classify(pairs[0][0], "entailment", pair=pairs[0][1])
    status, output, errors = cli("classify", pairs[0][0], "--pair", pairs[0][1], "--task", "entailment")
    assert (status, errors) == (0, "")
    assert output.splitlines() == [expected.label, *(f"{value:7.1%}  {label}" for label, value in expected.probabilities.items())]
    assert list(expected.probabilities) == ["no", "yes"]


def test_each_line_is_paired_with_the_same_text(cli, lm, tmp_path, pairs):
    path = tmp_path / "lines.txt"
    lines = [first for first, _ in pairs] + [""]
    path.write_text("\n".join(lines) + "\n")
    expected = list(lm.classify_all(((line, "the dog") for line in lines), "entailment"))
    status, output, _ = cli("classify", "--file", path, "--pair", "the dog", "--task", "entailment")
    assert status == 0
    assert [(label, text) for label, _, text in table(output)] == [(one.label, text) for one, text in zip(expected, lines, strict=True)]
    assert [float(value) for _, value, _ in table(output)] == pytest.approx([one.probability for one in expected], abs=1e-3)


@pytest.mark.parametrize("buffered", [(), ("--line-buffered",)])
def test_pairs_of_lines_of_json_keep_their_order_and_broken_lines_their_place(cli, lm, pairs, rows, buffered):
    command = ("classify", "--file", rows, "--field", "a", "--pair-field", "b", "--task", "entailment", *buffered)
    expected = list(lm.classify_all(pairs, "entailment"))
    status, output, errors = cli(*command)
    assert status == 1
    assert [(row[0], row[2]) for row in table(output)] == [
        *((one.label, first) for one, (first, _) in zip(expected, pairs, strict=True)),
        *[("", "")] * 3,
    ]
    assert errors == (
        "compactlm: 3 lines could not be read and have no answer (line 21: it has no text in the field 'b'); "
        "fix them and run the command again\n"
    )
    answers = [json.loads(line) for line in cli(*command, "--json")[1].splitlines()]
    assert [answer["probabilities"] for answer in answers[:20]] == [pytest.approx(one.probabilities, abs=1e-5) for one in expected]
    assert [answer["error"] for answer in answers[20:]] == [
        "it has no text in the field 'b'",
        "it has no text in the field 'a'",
        "it is not valid JSON",
    ]


def test_the_first_text_of_a_pair_is_in_the_field_text_by_default(cli, lm):
    given = json.dumps({"text": "the dog", "b": "a cat"}).encode()
    status, output, _ = cli("classify", "-", "--pair-field", "b", "--task", "entailment", "--json", given=given)
    assert status == 0
    assert json.loads(output)["probabilities"] == pytest.approx(lm.classify("the dog", "entailment", pair="a cat").probabilities, abs=1e-5)


def test_all_labels_from_one_half_on_are_shown(cli, lm, tmp_path, tiny_texts):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(tiny_texts))
    status, output, _ = cli("classify", "--file", path, "--task", "topics")
    assert status == 0
    numbers = set()
    for (labels, values, text), line, one in zip(table(output), tiny_texts, lm.classify_all(tiny_texts, "topics"), strict=True):
        named = dict(zip(filter(None, labels.split(", ")), map(float, filter(None, values.split(", "))), strict=True))
        if min(abs(value - 0.5) for value in one.probabilities.values()) > 1e-3:
            assert named == {label: pytest.approx(value, abs=1e-3) for label, value in one.probabilities.items() if value >= 0.5}
        assert text == line
        numbers.add(len(named))
    assert len(numbers) > 1
    status, output, _ = cli("classify", tiny_texts[0], "--task", "topics")
    first, *more = output.splitlines()
    answer = lm.classify(tiny_texts[0], "topics")
    assert first == (", ".join(answer.labels) or "none")
    assert [line.split()[1] for line in more] == ["animals", "music", "film"]
    assert json.loads(cli("classify", tiny_texts[0], "--task", "topics", "--json")[1])["labels"] == list(answer.labels)


def test_scores(cli, lm, tmp_path, tiny_texts):
    lines = [*tiny_texts[:30], "", "\U0001f600", "dog\tand cat"]
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(lines))
    expected = [one.score for one in lm.score_all(lines)]
    for more in ((), ("--line-buffered",)):
        status, output, errors = cli("score", "--file", path, *more)
        assert (status, "of 2 texts at least half is unknown" in errors) == (0, True)
        assert [row[1] for row in table(output)] == [*lines[:-1], "dog and cat"]
        assert [float(row[0]) for row in table(output)] == pytest.approx(expected, abs=1e-4)
    assert float(cli("score", tiny_texts[0])[1]) == pytest.approx(expected[0], abs=1e-3)
    found = json.loads(cli("score", "dog " * 100, "--json")[1])
    assert found == {"score": pytest.approx(lm.score("dog " * 100).score, abs=1e-5), "cut": True, "unknown": False}


def test_a_broken_line_has_no_score(cli):
    status, output, errors = cli("score", "-", "--field", "m", given=b'{"m": "dog"}\n{"m": 3}\n')
    assert status == 1
    assert [len(row) for row in table(output)] == [2, 2]
    assert output.endswith("\n\t\n")
    assert "line 2: it has no text in the field 'm'" in errors


def test_passages_are_ordered(cli, lm, tmp_path, tiny_texts):
    path = tmp_path / "passages.txt"
    path.write_text("\n".join(tiny_texts[:25]) + "\n")
    expected = lm.rerank("was it good?", tiny_texts[:25])
    status, output, errors = cli("rerank", "was it good?", "--file", path)
    assert (status, errors) == (0, "")
    assert [(int(number), text) for _, number, text in table(output)] == [(one.index + 1, one.text) for one in expected]
    assert [float(score) for score, _, _ in table(output)] == pytest.approx([one.score for one in expected], abs=1e-3)
    rows = json.loads(cli("rerank", "was it good?", "--file", path, "--top", "2", "--label", "no", "--json")[1])
    assert [(row["line"], row["text"]) for row in rows] == [(one.index + 1, one.text) for one in expected[:-3:-1]]


def test_passages_come_from_standard_input(cli):
    status, output, errors = cli("rerank", "was it good?", "--file", "-", given=b"a dog\nb\xffd\n")
    assert status == 0
    assert sorted(row[1] for row in table(output)) == ["1", "2"]
    assert "U+FFFD in 1 lines" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("classify", "dog", "--task", "entailment"), "the task 'entailment' reads pairs of texts; pass the second text too"),
        (("classify", "dog", "--pair", "cat", "--task", "topics"), "the task 'topics' reads single texts; leave out the second text"),
        (("classify", "dog"), "there are several tasks of the kind classification or multilabel: entailment, topics; choose one (--task)"),
        (("classify", "dog", "--task", "rating"), "the task 'rating' is of the kind regression; use score"),
        (("score", "dog", "--task", "topics"), "the task 'topics' is of the kind multilabel; use classify"),
        (("score", "dog", "--task", "spam"), "there is no task 'spam' in"),
        (("score", "--file", "none.txt"), "none.txt cannot be read (No such file or directory)"),
        (("rerank", "dog", "--file", "none.txt"), "none.txt cannot be read (No such file or directory)"),
        (("rerank", "dog", "--file", "-", "--task", "topics"), "the task 'topics' has several labels; choose the label to order by"),
        (("rerank", "dog", "--file", "-", "--task", "names"), "the task 'names' is of the kind tagging; use tag"),
        (("rerank", "dog", "--file", "-", "--label", "maybe"), "has no label 'maybe'; choose the label to order by: no, yes"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(cli, arguments, message):
    status, output, errors = cli(*arguments, given=b"a cat\n")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert message in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score",), "either a text or --file"),
        (("classify", "dog", "--pair-field", "b"), "--pair-field needs lines"),
        (("classify", "-", "--pair", "cat", "--pair-field", "b"), "either --pair or --pair-field"),
        (("rerank", "dog"), "Missing option '--file'"),
    ],
)
def test_unclear_options_are_status_2(cli, arguments, message):
    status, output, errors = cli(*arguments)
    assert (status, output) == (2, "")
    assert message in errors
