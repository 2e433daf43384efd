"""The page is complete, is one file, and is accessible."""

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from compactlm.figures.figure import Figure
from compactlm.report.blocks import Text
from compactlm.report.page import write_page
from compactlm.report.sections.text import text as text_section
from compactlm.report.sections.weakness import robustness
from tests.fixtures.made_up_run import FRONTIER_EPOCHS, with_stages

VOID = "meta|link|br|img|input|hr"
SVG_EMPTY = "line|rect|circle|polyline|polygon"  # written with a slash


class Page:
    """The elements of a page, which must all be closed in their places."""

    def __init__(self, text):
        assert not re.search(rf"<(?!{VOID}|{SVG_EMPTY})[^<>]*/>", text)
        closed = re.sub(rf"<({VOID})\b([^>]*?)/?>", r"<\1\2/>", text.partition(">")[2])
        self.root = ET.fromstring(closed)  # noqa: S314 - our own page

    def all(self, tag):
        return [element.attrib for element in self.root.iter(tag)]

    def texts(self, tag):
        return [read_text(element) for element in self.root.iter(tag)]


def read_text(element):
    return " ".join("".join(element.itertext()).split())


@pytest.fixture(scope="module")
def text(found, readers):
    return write_page(found, readers)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_loads_nothing(text, page):
    assert not page.all("script")
    assert not page.all("img")
    assert all(link["href"] == "data:," for link in page.all("link"))
    assert all(link["href"].startswith("#") for link in page.all("a"))
    assert "url(" not in text
    assert "@import" not in text
    assert not any({"src", "srcset", "action"} & set(element.keys()) for element in page.root.iter())


def test_headings_are_nested_and_the_page_has_a_title(page):
    levels = [int(element.tag[1]) for element in page.root.iter() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.texts("title")[0]) > 10
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


def test_tables_and_drawings_have_names(page):
    assert len(page.texts("caption")) == len(page.all("table")) > 10
    assert all(page.texts("caption"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    names = {element.get("id") for element in page.root.iterfind(".//*[@id]")}
    assert len(names) == len(page.root.findall(".//*[@id]")), "an id occurs twice"
    assert len(page.all("svg")) > 6
    for drawing in page.all("svg"):
        assert drawing["role"] == "img"
        assert set(drawing["aria-labelledby"].split()) <= names
    assert {link["href"][1:] for link in page.all("a")} <= names
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in page.all("div") if region.get("role") == "region")


def test_the_first_link_skips_to_the_report(page):
    [skip] = [link for link in page.all("a") if link.get("class") == "skip"]
    assert page.all("a")[0] == skip == {"class": "skip", "href": "#main"}


def test_the_page_begins_with_the_verdict(page):
    verdict = read_text(page.root.find(".//*[@class='verdict']"))
    assert "of the teacher's accuracy on sentiment" in verdict
    assert "10.0 % of its parameters" in verdict
    assert "the data gate is" in verdict.lower()
    assert "The model gate is" in verdict


def test_the_text_is_shown_before_and_after_augmentation(found, page, readers):
    texts = page.texts("tr")
    assert "all7006309 duplicate and 1 too short2 email" in texts
    assert "self-BLEU0.1250.250" in texts
    assert [text for text in texts if text.startswith("all") and "negative" in text and text.endswith("1.0 %")]
    assert "Growth of the vocabulary" in " ".join(page.texts("title"))
    notes = " ".join(page.texts("figcaption"))
    assert re.search(r"290 of 300 .*kept.* 7 label changed and 3 same as original", notes)
    without = Page(write_page(with_stages(found, augment={"copies": 0, "wordnet": 0}), readers))
    assert "self-BLEU0.1250.250" not in without.texts("tr")
    assert "The text" in without.texts("h2")


@pytest.mark.parametrize(("trained", "known"), [(1, "Punkt"), (0, "NLTK")])
def test_cleaned_rows_add_up_if_texts_were_split(found, trained, known):
    clean = found.metrics["clean"]
    parts = {name: {**part, "added": 20, "kept": 110} for name, part in clean["sources"].items()}
    cut = {"sources": parts, "total": {**clean["total"], "added": 140, "kept": 830}, "punkt_trained": trained}
    table = text_section(with_stages(found, clean=cut)).blocks[0]
    assert table.head == ["source", "rows", "added", "kept", "dropped", "masked"]
    assert table.rows[-1][:4] == ["all", "700", "140", "830"]
    assert known in table.note
    assert all(len(row) == len(table.head) for row in table.rows)
    assert len(text_section(found).blocks[0].head) == 5


def test_rows_left_out_of_the_splits_are_counted(found):
    assert not any(isinstance(block, Text) for block in text_section(found).blocks)
    split = {**found.metrics["split"], "left_out": {"movie_reviews": 1200, "boolq": 3, "xsum": 0}}
    block = text_section(with_stages(found, split=split)).blocks[1]
    assert block.text.endswith("3 of boolq and 1,200 of movie reviews.")


def test_notices_of_stages_are_on_the_page(found, readers):
    noticed = dataclasses.replace(found, notices=["6 of 100 rows of s are dropped, such as '<b>'"])
    assert "<p>6 of 100 rows of s are dropped, such as &#39;&lt;b&gt;&#39;.</p>" in write_page(noticed, readers)


def test_two_tasks_share_the_page(two_tasks, readers):
    page = Page(write_page(two_tasks, dict.fromkeys(two_tasks.tasks, readers["sentiment"])))
    assert page.texts("h3").count("topic") == page.texts("h3").count("sentiment") == 4
    names = [element.get("id") for element in page.root.iterfind(".//*[@id]")]
    assert len(set(names)) == len(names)
    assert page.texts("p")[1].count("of the teacher's accuracy on") == 2


def test_text_of_the_data_cannot_become_markup(text):
    assert "<b>bad" not in text
    assert "&lt;b&gt;" in text


def test_machine_dependent_figures_are_in_one_section(found, readers, text):
    without = write_page(dataclasses.replace(found, timings={}), readers)
    assert 'id="machine"' in text
    assert 'id="machine"' not in without

    def rest(page):
        page = re.sub(r'<section id="machine".*?</section>', "", page, flags=re.DOTALL)
        page = re.sub(r'<div class="machine">.*?</div>', "", page)
        return re.sub(r'<li><a href="#machine">.*?</li>|\s*At batch size [^.]*\d\.\d times[^.]*\.', "", page)

    assert rest(text).split() == rest(without).split()


def test_steps_strengths_and_models_are_shown_in_their_order(text):
    def places(*words):
        found = [text.index(word) for word in words]
        return found == sorted(found)

    assert places('<th scope="col">train rows', '<th scope="col">with augmented copies', '<th scope="col">after mitigation')
    assert places('<th scope="row">keyboard, light', '<th scope="row">keyboard, heavy')
    machine = text[text.index('id="machine"') :]
    assert machine.index('<th scope="col">teacher') < machine.index('<th scope="col">student') < machine.index('<th scope="col">bert base')


def test_the_same_findings_give_the_same_bytes(found, readers, text):
    assert write_page(found, readers) == text


def test_figures_on_few_rows_are_not_judged(altered, found, readers):
    task = found.tasks["sentiment"]
    few = Figure.measured(0.9, 0.8, 1.0, rows=12, rows_needed=30)
    quality = {**task["quality"], "retention": few, "student": dict.fromkeys(task["quality"]["student"], few)}
    page = write_page(altered(tasks={"sentiment": {**task, "quality": quality}}), readers)
    assert page.count("12 rows; at least 30") == 1 + len(quality["student"])


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_enough_contrast(text, scheme):
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", re.findall(r":root \{(.*?)\}", text, re.DOTALL)[scheme]))
    for paper in ("paper", "raised", "faint"):
        for ink in ("ink", "soft", "accent", "s0", "s1", "s2", "s3", "bad"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert contrast(colours["ink"], colours["bad-paper"]) >= 4.5


def test_settings_of_separate_runs_that_differ_are_named(text, found):
    size = text[text.index('<section id="size"') : text.index('<section id="ablations"')]
    epochs = found.params.distill.task.optimisation.epochs
    assert f"distill.task.optimisation.epochs {FRONTIER_EPOCHS} (here {epochs})" in size
    assert epochs != FRONTIER_EPOCHS
    assert "fewer epochs than the default experiment" in text[text.index('<section id="ablations"') :]


def test_sections_of_separate_runs_are_optional(found, readers):
    page = Page(write_page(dataclasses.replace(found, frontier={}, ablations={}, mitigation={}), readers))
    assert "Quality against parameters" in page.texts("h2")
    assert not {"Ablations", "Mitigation of bias"} & set(page.texts("h2"))


@pytest.mark.parametrize("cased", [False, True])
def test_an_uncased_model_gets_a_note_on_case(found, readers, cased):
    class Tokenizer:
        def tokenize(self, text):
            return [text if cased else text.lower()]

    reader = type("Reader", (), {"tokenizer": Tokenizer()})()
    notes = [block.text for block in robustness(found, {"sentiment": reader}).blocks if isinstance(block, Text)]
    assert any("uncased" in note for note in notes) is not cased
