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
        ("<!DOCTYPE html><?xml version='1.0'?><P ALIGN=center>Old</P>", "   Old "),
        ("see <a href=/x?a=1&b=2 target='_blank'>here</a>", "see here"),
        ("<input type=text disabled/><option selected>one <img src='x'alt=\"a > b\">", "  one  "),
        ("<Br><Font Color=red>red</Font> and <Strong>strong</Strong> words", " red and strong words"),
        (
            "&notit; R&regular; &ampere; stay, &copy; and &NotEqualTilde; do not",
            "&notit; R&regular; &ampere; stay, \u00a9 and \u2242\u0338 do not",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("so ( n ) (\\displaystyle (\\mathbf (r))=c_(1)) holds", "so ( n )   holds"),
    ],
)
def test_markup(dirty: str, clean: str) -> None:
    assert remove_markup(dirty) == clean


@pytest.mark.parametrize(
    "text",
    [
        "if a<b then c>d holds",
        "in <Alice> says",
        "List<String> n = new ArrayList<>();",
        "x <y and z> w",
        "Map<K, List<V>> and vector<int> and List<Object>",
        "where a <b and i> j, or p<q or s> t",
        "<Mark> says that <i am here> is no tag",
        "usage: tool <file> <new-name>, mail <jane@example.org>",
        "write </alice> or <!-> or <?> or <a b c> or <p class=>",
        "when x <script of the film> y",
        "I <3 you > him, 1 <2> 0",
        'a <b" c> d and <p =x> e',
        "<center of the town> and <div by zero> and <time flies>",
        "a <b/c> d and </b c> and < b > and <b-c> and <p1>",
    ],
)
def test_angle_brackets_that_are_no_tags_of_html_stay(text: str) -> None:
    assert remove_markup(text) == text


def test_names_of_html_are_markup_and_other_words_are_not() -> None:
    for name in ("p", "div", "h1", "td", "blockquote", "video", "marquee", "BR", "TABLE", "svg"):
        assert remove_markup(f"one <{name}>two</{name}> <{name} id='x' hidden/>three").split() == ["one", "two", "three"]
    for name in ("alice", "string", "int", "T", "foo", "h7", "hello", "html5", "x"):
        text = f"one <{name}>two</{name}> three"
        assert remove_markup(text) == text


OPENINGS = [
    "<script>",
    "<!--",
    "<style >",
    "</script",
    "<b ",
    "<",
    '<b x="',
    "<b x='y' ",
    "<Mark>",
    "<b x = ",
    "<b hidden ",
    "<p\n",
    "{\\displaystyle x} ",
    "(\\displaystyle ",
]


@pytest.mark.parametrize("token", [*OPENINGS, "&amp;", "amp;", "&#38;#38;", "&", "x"])
def test_time_grows_in_proportion_to_the_text(token: str) -> None:
    many = token * (100_000 // len(token))
    for text in ("&" + many, "<b " + many.replace("<", "").replace(">", ""), "<b" + " " * 100_000 + token, "<b x" + " " * 100_000 + token):
        start = time.process_time()
        remove_markup(text)
        assert time.process_time() - start < 10  # time that grows with the square of the length would be minutes
