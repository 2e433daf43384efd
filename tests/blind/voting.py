"""Votes of made-up judges."""

import json


def vote(key, right, teacher, judge="ann", pairs=None):
    """Votes of a judge; `right` and `teacher` give the model that is chosen, or "both" or "neither", from the number of a pair."""

    def side(place, chosen):
        return chosen if chosen in ("both", "neither") else "left" if place.left == chosen else "right"

    numbers = range(len(key.pairs)) if pairs is None else pairs
    votes = [{"pair": at, "right": side(key.pairs[at], right(at)), "teacher": side(key.pairs[at], teacher(at))} for at in numbers]
    return {"judge": judge, "page": key.page, "votes": votes}


def save(directory, votes, name=None):
    path = directory / f"{name or votes['judge']}.json"
    path.write_text(json.dumps(votes))
    return path
