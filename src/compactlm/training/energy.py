"""Energy and CO2 of a training run, by codecarbon in its offline mode.

Energy is measured if the processor's energy counters are readable. Otherwise it is estimated from the processor's load and rated power.
`method` says which. If neither is possible there is no figure. A resumed run counts from where it resumed. With several processes, the main
process and all GPUs that it sees are counted.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from compactlm.params import Energy

JOULES_A_KWH = 3_600_000
METHODS = {"intel_rapl": "measured by energy counters", "cpu_load": "estimated from load and rated power", "constant": "estimated"}


@contextlib.contextmanager
def tracked(settings: Energy, main_process: bool) -> Iterator[dict[str, Any]]:
    """Measure the block. Yield a dictionary that holds the figures after the block has ended.

    The figures are `joules`, `co2_grams`, `grams_a_kwh`, `country` (None for the world's average) and `method`. The dictionary stays
    empty if nothing can be measured, if `settings.track` is off, and outside the main process.
    """
    figures: dict[str, Any] = {}
    tracker = _start(settings) if settings.track and main_process else None
    try:
        yield figures
    finally:
        if tracker is not None:
            figures.update(_stop(tracker, settings.country))


def _start(settings: Energy) -> Any:
    try:
        from codecarbon import OfflineEmissionsTracker

        tracker = OfflineEmissionsTracker(
            country_iso_code=settings.country,
            tracking_mode="process",
            allow_multiple_runs=True,
            save_to_file=False,
            save_to_api=False,
            electricitymaps_api_token=None,
            log_level="critical",
        )
        tracker.start()
    except Exception:  # noqa: BLE001 - a failure to measure must not stop training
        return None
    return tracker


def _stop(tracker: Any, country: str | None) -> dict[str, Any]:
    try:
        tracker.stop()
        data = tracker.final_emissions_data
        kwh, kilograms = float(data.energy_consumed), float(data.emissions)
        modes = [getattr(hardware, "_mode", None) for hardware in tracker._hardware if type(hardware).__name__ == "CPU"]
    except Exception:  # noqa: BLE001 - as above
        return {}
    if not (math.isfinite(kwh) and math.isfinite(kilograms) and kwh > 0):
        return {}
    return {
        "joules": kwh * JOULES_A_KWH,
        "co2_grams": 1000 * kilograms,
        "grams_a_kwh": 1000 * kilograms / kwh,
        "country": country,
        "method": METHODS.get(str(modes[0]) if modes else "", "estimated"),
    }
