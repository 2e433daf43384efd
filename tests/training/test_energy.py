import json
import sys

import pytest

from compactlm.params import Energy
from compactlm.training import energy
from compactlm.training.energy import tracked

FIGURES = {"joules", "co2_grams", "grams_a_kwh", "country", "method"}


def work():
    total = 0
    for number in range(2_000_000):
        total += number * number
    return total


def test_work_takes_energy_and_writes_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with tracked(Energy(track=True, country=None), True) as found:
        assert work()
    assert set(found) == FIGURES
    assert found["joules"] > 0
    assert found["co2_grams"] == pytest.approx(found["joules"] / 3_600_000 * found["grams_a_kwh"])
    assert 300 < found["grams_a_kwh"] < 700  # the world's average
    assert found["method"] in {*energy.METHODS.values(), "estimated"}
    json.dumps(found, allow_nan=False)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().out == ""


def test_the_country_decides_on_the_co2():
    with tracked(Energy(track=True, country="SWE"), True) as clean, tracked(Energy(track=True, country="POL"), True) as coal:
        assert work()
    assert clean["country"] == "SWE"
    assert clean["grams_a_kwh"] < 100 < coal["grams_a_kwh"]


def test_no_figure_where_nothing_is_to_be_measured():
    for settings, main in ((Energy(track=False, country=None), True), (Energy(track=True, country=None), False)):
        with tracked(settings, main) as found:
            pass
        assert found == {}


def test_a_tracker_that_fails_ends_no_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    with tracked(Energy(track=True, country=None), True) as found:
        result = work()
    assert result
    assert found == {}


def test_the_works_own_failure_is_raised():
    with pytest.raises(ZeroDivisionError), tracked(Energy(track=True, country=None), True):
        _ = 1 / 0


def test_a_country_is_three_capitals():
    with pytest.raises(ValueError, match="country"):
        Energy(track=True, country="Sweden")
