"""The errors of the commands for tasks: tasks of another kind, missing files, and options that contradict each other."""

import pytest


@pytest.fixture(autouse=True)
def files(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, content in (("article.txt", "The old dog played.\n"), ("empty.txt", " \n"), ("lines.txt", "who?\n")):
        (tmp_path / name).write_text(content)


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
        (("tag", "dog", "--task", "rating"), "the task 'rating' is of the kind regression; use score"),
        (("tag", "dog", "--task", "topics"), "the task 'topics' is of the kind multilabel; use classify"),
        (("extract", "-q", "who?", "-c", "none.txt"), "none.txt cannot be read (No such file or directory)"),
        (("extract", "-q", "who?", "-c", "article.txt", "--task", "names"), "the task 'names' is of the kind tagging; use tag"),
        (("extract", "-q", " ", "-c", "article.txt"), "the question is empty; write it after --question"),
        (("extract", "-q", "who?", "-c", "empty.txt"), "empty.txt has no text; name the file of the passage with --context"),
        (("extract", "--file", "lines.txt", "-c", "empty.txt"), "empty.txt has no text; name the file of the passage with --context"),
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
