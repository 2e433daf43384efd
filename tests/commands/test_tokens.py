"""tag and extract, compared with the same models in Python."""

import json
import os
import re
import subprocess
import sys

import pytest

from compactlm import CompactLM

PASSAGE = "\u00c9t\u00e9 was warm.\r\nThe old dog played with a cat by the river,\tand young people loved the music.\n"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def model(monkeypatch, heads_export):
    monkeypatch.setenv("COMPACTLM_MODEL", str(heads_export))


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, threads=1)


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    path.write_bytes(PASSAGE.encode())
    return path


@pytest.fixture
def questions(lm, tiny_texts):
    """Questions of which the tiny model answers some, but not all."""
    found = [lm.extract(text, PASSAGE).answer for text in tiny_texts[:30]]
    assert None in found
    assert any(found)
    return tiny_texts[:30]


def marked(found):
    """Return a text with its entities as [text](label)."""
    text = found.text
    for one in reversed(found.entities):
        text = f"{text[: one.start]}[{one.text}]({one.label}){text[one.end :]}"
    return text


def test_each_line_is_tagged_in_its_place(cli, lm, tmp_path, tiny_texts):
    path = tmp_path / "lines.txt"
    lines = [*tiny_texts[:40], "", "\u05e9\u05dc\u05d5\u05dd \U0001f600", "a\tdog"]
    path.write_text("\n".join(lines))
    expected = list(lm.tag_all(lines))
    assert any(one.entities for one in expected)
    for more in ((), ("--line-buffered",)):
        status, output, _ = cli("tag", "--file", path, *more)
        assert status == 0
        assert output.split("\n")[:-1] == [marked(one).replace("\t", " ") for one in expected]
    answers = [json.loads(line) for line in cli("tag", "--file", path, "--json")[1].splitlines()]
    assert [answer["text"] for answer in answers] == lines
    for answer, one, line in zip(answers, expected, lines, strict=True):
        assert [(word["text"], word["tag"]) for word in answer["words"]] == [(word.text, word.tag) for word in one.words]
        for part in answer["words"] + answer["entities"]:
            assert line[part["start"] : part["end"]] == part["text"]


def test_one_text_is_tagged(cli, lm, tiny_texts):
    assert cli("tag", tiny_texts[0]) == (0, marked(lm.tag(tiny_texts[0])) + "\n", "")
    assert [word["text"] for word in json.loads(cli("tag", "the dog's cat.", "--json")[1])["words"]] == ["the", "dog's", "cat", "."]
    assert [word["text"] for word in json.loads(cli("tag", "the  dog's cat.", "--words", "--json")[1])["words"]] == ["the", "dog's", "cat."]
    status, _, errors = cli("tag", "\u05e9\u05dc\u05d5\u05dd")
    assert (status, errors) == (0, "compactlm: at least half of the text is unknown to the model's vocabulary, so the tags mean little\n")


def test_a_broken_line_of_json_keeps_its_place(cli, lm):
    status, output, errors = cli("tag", "-", "--field", "m", given=b'{"m": "the old dog"}\n{"n": "a"}\n{"m": "a cat"}\n')
    assert status == 1
    assert output.split("\n") == [marked(lm.tag("the old dog")), "", marked(lm.tag("a cat")), ""]
    assert errors.startswith("compactlm: 1 lines could not be read and have no answer (line 2: it has no text in the field 'm')")


def test_tags_that_mark_no_entities_follow_each_word(cli, heads_export, tmp_path):
    config = json.loads((heads_export / "names" / "config.json").read_text())
    names = {"0": "DET", "1": "NOUN", "2": "VERB", "3": "ADJ", "4": "PUNCT"}
    config |= {"id2label": names, "label2id": {name: int(key) for key, name in names.items()}}
    model = tmp_path / "parts"
    model.mkdir()
    for path in (heads_export / "names").iterdir():
        (model / path.name).symlink_to(path)
    (model / "config.json").unlink()
    (model / "config.json").write_text(json.dumps(config))
    expected = CompactLM(model, threads=1).tag("the old dog")
    assert expected.entities is None
    status, output, _ = cli("tag", "the old dog", "--model", model)
    assert (status, output) == (0, " ".join(f"{word.text}/{word.tag}" for word in expected.words) + "\n")


def in_terminal(command, **environment):
    """Return what a command writes to a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen([sys.executable, "-m", "compactlm.cli", *command], stdout=theirs, env={**clean, **environment})
    os.close(theirs)
    content = b""
    with process, os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            while read := terminal.read(65536):
                content += read
        except OSError:  # Linux reports the closed terminal in this way
            pass
    assert process.returncode == 0
    return content.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_entities_are_coloured_in_a_terminal_and_nowhere_else(cli, lm, tmp_path, tiny_texts):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(tiny_texts[:40]) + "\n")
    plain = cli("tag", "--file", path)[1]
    assert "\x1b" not in plain
    coloured = in_terminal(["tag", "--file", str(path)])
    assert ESCAPES.sub("", coloured) == plain
    labels = {one.label for found in lm.tag_all(tiny_texts[:40]) for one in found.entities}
    seen = {label: set(re.findall(rf"\x1b\[(\d+)m\[[^\]]*\]\({label}\)", coloured)) for label in labels}
    assert all(len(colours) == 1 for colours in seen.values())
    assert len(set.union(*seen.values())) == len(labels) > 0
    assert in_terminal(["tag", "--file", str(path)], NO_COLOR="1") == plain
    assert "\x1b" not in in_terminal(["tag", "--file", str(path), "--json"])


def test_the_answer_is_shown_with_its_place(cli, lm, article, questions):
    for question in questions[:12]:
        one = lm.extract(question, PASSAGE)
        status, output, errors = cli("extract", "--question", question, "--context", article)
        assert (status, errors) == (0, "")
        if one.answer is None:
            assert output == f"no answer  ({one.score:.2f})\n"
        else:
            shown = re.sub(r"[\t\r\n]", " ", one.answer)
            assert output == f"{shown}  ({one.score:.2f}, characters {one.start:,} to {one.end:,})\n"
        found = json.loads(cli("extract", "-q", question, "-c", article, "--json")[1])
        assert (found["answer"], found["start"], found["end"]) == (one.answer, one.start, one.end)
        # Line breaks of the file are as they are in the file, so that its characters can be counted.
        assert found["answer"] is None or PASSAGE[found["start"] : found["end"]] == found["answer"]


def test_each_question_of_a_file_has_one_line(cli, lm, tmp_path, article, questions):
    path = tmp_path / "questions.txt"
    lines = [*questions, ""]
    path.write_text("\n".join(lines) + "\n")
    expected = list(lm.extract_all((line, PASSAGE) for line in lines))
    for more in ((), ("--line-buffered",)):
        status, output, _ = cli("extract", "--file", path, "--context", article, *more)
        assert status == 0
        rows = [line.split("\t") for line in output.split("\n")[:-1]]
        assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
            ("", "", "", line) if one.answer is None else (re.sub(r"[\t\r\n]", " ", one.answer), str(one.start), str(one.end), line)
            for one, line in zip(expected, lines, strict=True)
        ]
        assert [float(row[1]) for row in rows] == pytest.approx([one.score for one in expected], abs=1e-3)


def test_questions_and_passages_of_lines_of_json(cli, lm, tmp_path, questions):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": question, "p": PASSAGE}) for question in questions]
    path.write_text("\n".join([*lines, json.dumps({"question": "where?"})]) + "\n")
    status, output, errors = cli("extract", "--file", path, "--context-field", "p", "--json")
    assert status == 1
    answers = [json.loads(line) for line in output.splitlines()]
    assert [answer["answer"] for answer in answers[:-1]] == [one.answer for one in lm.extract_all((text, PASSAGE) for text in questions)]
    assert answers[-1] == {"error": "it has no text in the field 'p'"}
    assert errors.startswith("compactlm: 1 lines could not be read and have no answer (line 31: it has no text in the field 'p')")
    given = json.dumps({"q": questions[0]}).encode()
    path.write_text(PASSAGE)
    status, output, _ = cli("extract", "--file", "-", "--field", "q", "--context", path, "--json", given=given)
    assert (status, json.loads(output)["answer"]) == (0, lm.extract(questions[0], PASSAGE).answer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tag", "dog", "--task", "rating"), "the task 'rating' is of the kind regression; use score"),
        (("tag", "dog", "--task", "topics"), "the task 'topics' is of the kind multilabel; use classify"),
        (("extract", "-q", "who?", "-c", "none.txt"), "none.txt cannot be read (No such file or directory)"),
        (("extract", "-q", "who?", "-c", "article.txt", "--task", "names"), "the task 'names' is of the kind tagging; use tag"),
        (("extract", "-q", " ", "-c", "article.txt"), "the question is empty; write it after --question"),
        (("extract", "-q", "who?", "-c", "empty.txt"), "empty.txt has no text; name the file of the passage with --context"),
        (("extract", "--file", "lines.txt", "-c", "empty.txt"), "empty.txt has no text; name the file of the passage with --context"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(cli, monkeypatch, tmp_path, article, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "lines.txt").write_text("who?\n")
    status, output, errors = cli(*arguments)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert message in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tag",), "either a text or --file"),
        (("tag", "dog", "--field", "m"), "--field needs lines"),
        (("extract", "-c", "article.txt"), "either --question or --file"),
        (("extract", "-q", "who?"), "either --context or --context-field"),
        (("extract", "-q", "who?", "--context-field", "p"), "--field and --context-field need lines"),
        (("extract", "--file", "-", "-c", "-"), "--file and --context are both -"),
    ],
)
def test_unclear_options_are_status_2(cli, arguments, message):
    status, output, errors = cli(*arguments)
    assert (status, output) == (2, "")
    assert message in errors
