import pytest

from compactlm.errors import CompactLMError

LINES = "the old dog\n\n\U0001f600\ngood film\ngood film \nbad music by the river\n"


def test_a_text_is_compared_with_the_other_whole_words_of_the_vocabulary(lm):
    found = lm.similar("good", 500)
    words = {token for token in lm.mlm.tokenizer.library.get_vocab() if len(token) > 1 and token.isalpha()} - {"good"}
    assert {neighbour.text for neighbour in found} == words
    similarities = [neighbour.similarity for neighbour in found]
    assert similarities == sorted(similarities, reverse=True)
    assert found[0].similarity == pytest.approx(lm.compare("good", found[0].text).similarity, abs=1e-4)
    assert lm.similar("good", 3) == found[:3]


def test_lines_of_a_file_have_their_numbers(lm, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text(LINES)
    found = lm.similar("the old dogs", 3, path)
    assert (found[0].text, found[0].line) == ("the old dog", 1)
    assert [neighbour.line for neighbour in lm.similar("Good film", 9, path)].count(4) == 0
    path.write_text("the old dogs ran\n" + LINES)
    assert lm.similar("the old dogs", 1, path)[0].line in (1, 2)
    assert lm.similar("bad music by the rivers", 1, path)[0].line == 7


def test_a_repeated_line_does_not_hide_other_lines(lm, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("good film\n" * 40 + LINES)
    assert {neighbour.text for neighbour in lm.similar("Good film", 2, path)} < set(LINES.split("\n")) - {"good film"}
    assert len(lm.similar("Good film", 2, path)) == 2
    assert len(lm.similar("Good film", 9, path)) == 3


def test_a_text_or_a_file_without_tokens_is_refused(lm, tmp_path):
    (tmp_path / "blank.txt").write_text("\n \n")
    for text, file, message in (
        ("good", tmp_path / "none.txt", "cannot be read"),
        ("good", tmp_path / "blank.txt", "has no text"),
        ("", None, "the text is empty"),
        (" \t", None, "the text is empty"),
    ):
        with pytest.raises(CompactLMError, match=message):
            lm.similar(text, 3, file)
