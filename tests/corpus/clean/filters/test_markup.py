import time

import pytest

from compactlm.corpus.clean.filters.markup import remove_markup


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Kohlberg &amp;amp;amp; Company", "Kohlberg & Company"),
        ("I &lt;3 you &#x27;so&#39;", "I <3 you 'so'"),
        ("<p>Two<br/>lines, <b>bold</b>ly</p>", " Two lines, boldly "),
        ("a <!-- not <b> this --> b <script>x < y</script> c", "a   b   c"),
        ("a <script>never ends", "a  never ends"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("so ( n ) (\\displaystyle (\\mathbf (r))=c_(1)) holds", "so ( n )   holds"),
    ],
)
def test_markup(dirty: str, clean: str) -> None:
    assert remove_markup(dirty) == clean


OPENINGS = ["<script>", "<!--", "<style >", "</script", "<b ", "<", "{\\displaystyle x} ", "(\\displaystyle "]


@pytest.mark.parametrize("token", [*OPENINGS, "&amp;", "amp;", "&#38;#38;", "&", "x"])
def test_time_grows_in_proportion_to_the_text(token: str) -> None:
    text = "&" + token * (300_000 // len(token))
    start = time.process_time()
    remove_markup(text)
    assert time.process_time() - start < 10  # time that grows with the square of the length would be hours
