"""Every regular expression of the package ends in time on hostile texts of 50,000 characters."""

import importlib
import pkgutil
import re
import signal

import pytest

import compactlm

LENGTH, SECONDS = 50_000, 1.0  # an expression of linear time takes a few milliseconds, and one of quadratic time more than 5 s
UNITS = [
    *("a", " ", "\n", "0", ".", ",", "-", ":", "/", "<", ">", "&", "'", '"', "(", "[", "#", "@", "A", "\\", "{", "$"),
    *("a ", "1.", "1,", "a.", "a-", "A.", "1 ", "1-", "a@", "<a ", "<a b=", "&#", "http://", "www.", "a'", "she ", "+1", "f:", "- ", "1) "),
]
ENDS = ("", "!", " a")
# These are matched at one position of a text or of a word, or searched for in 24 characters, so only a match at the start is tried.
PRONOUNS = "_ADJECTIVE _ALL _AMOUNT _BRACKETS _DASHES _HER_TOO _JOINED _PARTICIPLE _QUOTE _WHEN _WISHES"
AT_ONE_PLACE = {
    "compactlm.corpus.augment.contextual.CORE",
    "compactlm.corpus.clean.filters.personal.phones._DECIMAL",
    "compactlm.corpus.clean.filters.personal.phones._NORTH_AMERICAN",
    *(f"compactlm.fairness.swaps.pronouns.{name}" for name in PRONOUNS.split()),
    "compactlm.tasks.tags.words._ADDRESS",
    "compactlm.text.formats.conll._RANGE",
    "compactlm.text.labels._WHOLE",
    "compactlm.text.sentences._WORD_BEFORE",
}
SINGLE_SPACES = {"compactlm.text.sentences._END"}  # reads lines whose runs of spaces are one space


class TooLongError(Exception):
    """The time is over."""


def patterns():
    """Return all regular expressions that the package's modules hold, by module and name."""
    found = {}
    for module in sorted(pkgutil.walk_packages(compactlm.__path__, "compactlm."), key=lambda module: module.name):
        if module.name.startswith(("compactlm.stages.", "compactlm.__main__")):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:  # of an optional extra
            continue
        for name, value in vars(loaded).items():
            listed = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else [value]
            for at, one in enumerate(listed):
                if isinstance(one, re.Pattern):
                    found.setdefault(one, f"{module.name}.{name}{at or ''}")
    return {name: one for one, name in found.items()}


@pytest.fixture
def limited():
    """Return a function that searches a text, and raises TooLongError after SECONDS of processor time."""

    def stop(*_):
        raise TooLongError

    def search(pattern, text, at_one_place):
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # re looks for signals while it searches
        try:
            if at_one_place:
                pattern.match(text)
            else:
                for _ in pattern.finditer(text):
                    pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    before = signal.signal(signal.SIGVTALRM, stop)
    yield search
    signal.signal(signal.SIGVTALRM, before)


def slow(limited, pattern, at_one_place=False, single_spaces=False):
    """Return the units of the texts on which a pattern takes too long."""
    found = []
    for unit in UNITS:
        for end in ENDS:
            text = unit * (LENGTH // len(unit)) + end
            text = " ".join(text.split()) if single_spaces else text
            try:
                limited(pattern, text.encode() if isinstance(pattern.pattern, bytes) else text, at_one_place)
            except TooLongError:
                found.append((unit, end))
                break
    return found


@pytest.mark.slow
def test_every_expression_ends_in_time(limited):
    known = patterns()
    assert len(known) > 60
    assert known.keys() >= AT_ONE_PLACE | SINGLE_SPACES
    found = {name: slow(limited, one, name in AT_ONE_PLACE, name in SINGLE_SPACES) for name, one in known.items()}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("pattern", [r"\s+$", r"(a|a)*$", r"\W+$"])
def test_an_expression_of_quadratic_or_exponential_time_is_found(limited, pattern, monkeypatch):
    monkeypatch.setitem(globals(), "UNITS", ["a", " "])
    assert slow(limited, re.compile(pattern))


def test_no_group_has_a_possessive_quantifier():
    # Python before 3.11.5 matches them wrongly (https://github.com/python/cpython/issues/106052). Atomic groups are right.
    possessive = re.compile(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+")
    assert possessive.search(r"(?:ab)*+")
    assert not [name for name, one in patterns().items() if possessive.search(str(one.pattern))]
