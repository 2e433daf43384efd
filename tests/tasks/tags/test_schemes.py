import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.tags.schemes import entities, full_tags, scheme, write_tags

KINDS = ("PER", "LOC")
TAGS = st.lists(st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in KINDS)]), max_size=12)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("B-PER B-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("I-PER I-PER", [("PER", 0, 2)]),  # as in IOB1
        ("O I-LOC I-PER", [("LOC", 1, 2), ("PER", 2, 3)]),  # another type begins another entity
        ("B-PER I-LOC", [("PER", 0, 1), ("LOC", 1, 2)]),
        ("S-PER S-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("B-PER I-PER E-PER S-LOC", [("PER", 0, 3), ("LOC", 3, 4)]),
        ("B-PER E-PER E-PER", [("PER", 0, 2), ("PER", 2, 3)]),  # nothing goes on after E
        ("S-PER I-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("B-PER O I-PER", [("PER", 0, 1), ("PER", 2, 3)]),
        ("B-product-name I-product-name", [("product-name", 0, 2)]),
    ],
)
def test_entities_are_read_by_the_rules_of_conll(tags, expected):
    assert [tuple(one) for one in entities(tags.split())] == expected


@given(TAGS)
def test_entities_agree_with_seqeval(tags):
    oracle = pytest.importorskip("seqeval.metrics.sequence_labeling")
    assert [(kind, start, end - 1) for kind, start, end in entities(tags)] == oracle.get_entities(tags)


@given(TAGS)
def test_entities_survive_the_scheme_bio(tags):
    written = write_tags(entities(tags), len(tags))
    assert len(written) == len(tags)
    assert entities(written) == entities(tags)
    assert set(written) <= {"O", *(f"{prefix}-{kind}" for prefix in "BI" for kind in KINDS)}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B-PER", "I-PER"], "BIO"),
        (["O", "B-PER", "I-PER", "E-PER", "S-PER"], "BIOES"),
        (["O", "S-PER"], "BIOES"),
        (["NOUN", "VERB", "B"], None),
        (["O"], None),
        (["PER", "LOC"], None),
        (["O", "B-PER", "LOC"], None),
        (["B-", "O"], None),
        ([], None),
    ],
)
def test_a_scheme_is_recognised_by_its_tags(labels, expected):
    assert scheme(labels) == expected


def test_types_of_entities_become_tags():
    assert full_tags(["PER", "LOC"]) == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    assert full_tags(["B-PER", "I-PER", "O"]) == ["B-PER", "I-PER", "O"]
