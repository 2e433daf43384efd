import json
import sys

import pytest

from compactlm.params import Energy
from compactlm.training import energy
from compactlm.training.energy import tracked


def work():
    total = 0
    for number in range(2_000_000):
        total += number * number
    return total


def test_energy_is_measured_without_files_or_output(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with tracked(Energy(track=True, country=None), True) as found:
        assert work()
    assert set(found) == {"joules", "co2_grams", "grams_a_kwh", "country", "method"}
    assert found["joules"] > 0
    assert found["co2_grams"] == pytest.approx(found["joules"] / 3_600_000 * found["grams_a_kwh"])
    assert 300 < found["grams_a_kwh"] < 700  # around the average of the world
    assert found["method"] in {*energy.METHODS.values(), "estimated"}
    json.dumps(found, allow_nan=False)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().out == ""


def test_the_country_decides_the_co2():
    with tracked(Energy(track=True, country="SWE"), True) as clean, tracked(Energy(track=True, country="POL"), True) as coal:
        assert work()
    assert clean["country"] == "SWE"
    assert clean["grams_a_kwh"] < 100 < coal["grams_a_kwh"]


@pytest.mark.parametrize(("track", "main", "fails"), [(False, True, False), (True, False, False), (True, True, True)])
def test_there_are_no_figures_without_a_working_tracker(monkeypatch, track, main, fails):
    if fails:
        monkeypatch.setitem(sys.modules, "codecarbon", None)
    with tracked(Energy(track=track, country=None), main) as found:
        result = work()
    assert result
    assert found == {}


def test_an_error_of_the_tracked_code_is_raised():
    with pytest.raises(ZeroDivisionError), tracked(Energy(track=True, country=None), True):
        _ = 1 / 0


def test_a_country_is_a_code_of_three_capital_letters():
    with pytest.raises(ValueError, match="country"):
        Energy(track=True, country="Sweden")
