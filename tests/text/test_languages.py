from compactlm.text import languages
from compactlm.text.languages import CHUNK, JUDGED, main_languages

ENGLISH = "The committee will meet again on Thursday to discuss the report about the new bridge. "
GERMAN = "Der Ausschuss trifft sich am Donnerstag wieder, um den Bericht über die neue Brücke zu besprechen. "


def chunk(text):
    return (text * 10)[:CHUNK]


def test_languages_of_a_share_of_the_text_are_named_by_frequency():
    assert main_languages([chunk(ENGLISH)] * 30 + [chunk(GERMAN)] * 10) == ["en", "de"]
    assert main_languages([chunk(ENGLISH)] * 39 + [chunk(GERMAN)]) == ["en"]
    assert main_languages(["Der Bericht über die neue Brücke liegt vor."]) == ["de"]
    assert main_languages([]) == []


def test_long_text_is_judged_by_a_sample_from_all_of_it(monkeypatch):
    judged = []

    class Counting:
        def classify(self, text):
            judged.append(text)
            return ("de" if "Brücke" in text else "en"), 1.0

    monkeypatch.setattr(languages, "_identifier", Counting)
    assert main_languages([chunk(ENGLISH)] * (2 * JUDGED) + [chunk(GERMAN)] * JUDGED) == ["en", "de"]
    assert len(judged) == JUDGED
    assert abs(sum("Brücke" in text for text in judged) / JUDGED - 1 / 3) < 0.01
