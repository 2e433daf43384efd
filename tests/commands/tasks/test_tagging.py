"""tag, compared with the same model in Python."""

import json
import os
import re
import subprocess
import sys

import pytest

from compactlm import CompactLM

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


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
