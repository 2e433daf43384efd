"""classify for pairs and for any number of labels, compared with the same models in Python."""

import json

import pytest


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


def test_a_pair_is_classified(cli, lm, pairs):
    expected = lm.classify(pairs[0][0], "entailment", pair=pairs[0][1])
    status, output, errors = cli("classify", pairs[0][0], "--pair", pairs[0][1], "--task", "entailment")
    assert (status, errors) == (0, "")
    assert output.splitlines() == [expected.label, *(f"{value:7.1%}  {label}" for label, value in expected.probabilities.items())]
    assert list(expected.probabilities) == ["no", "yes"]


def test_each_line_is_paired_with_the_same_text(cli, lm, tmp_path, pairs, table):
    path = tmp_path / "lines.txt"
    lines = [first for first, _ in pairs] + [""]
    path.write_text("\n".join(lines) + "\n")
    expected = list(lm.classify_all(((line, "the dog") for line in lines), "entailment"))
    status, output, _ = cli("classify", "--file", path, "--pair", "the dog", "--task", "entailment")
    assert status == 0
    assert [(label, text) for label, _, text in table(output)] == [(one.label, text) for one, text in zip(expected, lines, strict=True)]
    assert [float(value) for _, value, _ in table(output)] == pytest.approx([one.probability for one in expected], abs=1e-3)


@pytest.mark.parametrize("buffered", [(), ("--line-buffered",)])
def test_pairs_of_lines_of_json_keep_their_order_and_broken_lines_their_place(cli, lm, pairs, rows, buffered, table):
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


def test_all_labels_from_one_half_on_are_shown(cli, lm, tmp_path, tiny_texts, table):
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
