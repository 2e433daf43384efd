"""Users' regular expressions give the matches of `re`, and end in time."""

import re
import time

import pytest

from compactlm.errors import CompactLMError
from compactlm.text import expressions
from compactlm.text.expressions import BoundedExpression

CATASTROPHES = [(r"(a|a)*$", "a" * 60 + "!"), (r"(\w+\s?)*$", "ab " * 10_000 + "!"), (r"\s+$", " " * 400_000 + "a")]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(expressions, "SECONDS", 0.2)


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
@pytest.mark.parametrize("method", ["found_in", "spans", "replace"])
def test_a_search_that_takes_too_long_ends_in_one_sentence(pattern, text, method):
    bounded = BoundedExpression(pattern, "the filter mine")
    start = time.process_time()
    with pytest.raises(
        CompactLMError, match=r"^line 3: the regular expression .* of the filter mine takes more than 0\.2 s .*; write it"
    ) as caught:
        getattr(bounded, method)(text, *(["x"] if method == "replace" else []), where="line 3")
    assert time.process_time() - start < 5
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_the_start_of_a_line_is_searched_in_time_too():
    with pytest.raises(CompactLMError, match="takes more than"):
        BoundedExpression(r"(a|a)*$", "columns.queries.prefix").end_of_start("a" * 60 + "?")


@pytest.mark.parametrize("pattern", [r"question\d+:", r"\s*", r"(?i)q|", r"^\d+[.)]\s", r"\b", r"(?P<a>.)(?P=a)", "x", r"[[a]"])
@pytest.mark.parametrize(
    "text", ["", "question1: who? question22:", "1) a\n2) bb", "aab Q q x ss", "\u0660: \u00c4\u00e4 \U0001f600\U0001f600"]
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_matches_are_those_of_re(pattern, text):
    bounded = BoundedExpression(pattern, "mine")
    assert bounded.spans(text) == [found.span() for found in re.finditer(pattern, text)]
    assert bounded.found_in(text) == bool(re.search(pattern, text))
    assert bounded.replace(text, r"\1") == re.sub(pattern, lambda _: r"\1", text)
    found = re.match(pattern, text)
    assert bounded.end_of_start(text) == (found.end() if found else 0)
