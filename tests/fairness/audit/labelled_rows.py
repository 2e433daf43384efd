"""Rows with labels, and attributes of two and of three groups."""

from compactlm.fairness.audit.labels import Rows
from tests.fixtures.builders import make_attribute

GENDER = make_attribute({"women": ["she"], "men": ["he"]}, privileged="men")
THREE = make_attribute({"women": ["she"], "men": ["he"], "others": ["they"]}, privileged="men")


def make_rows(**counts):
    """Build rows from the counts (good, bad) of each category, such as women=(3, 1)."""
    names = {"women": "women_only", "men": "men_only", "both": "both", "neither": "neither", "others": "others_only"}
    categories, labels = [], []
    for name, (good, bad) in counts.items():
        categories += [names[name]] * (good + bad)
        labels += ["good"] * good + ["bad"] * bad
    return Rows(categories, labels, [str(at) for at in range(len(labels))])
