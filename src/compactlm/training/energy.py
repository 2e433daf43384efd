"""Energy and CO2 of a training, by codecarbon in its offline mode: the only module that touches it.

Where the processor's energy counters can be read it is measured; elsewhere it is estimated from the load of the processor and its
rated power, and `method` says so. Where neither can be had there is no figure. A training that was resumed is measured from
there on. With several processes, what the main process uses, and all GPUs that it sees, are counted.
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
    """Give an empty dictionary that holds the figures when the block has ended well.

    The figures are `joules`, `co2_grams`, `grams_a_kwh`, `country` (None for the world's average) and `method`; there are none where
    nothing could be measured, where params say so, and in other processes than the main one.

    Args:
        settings: the section of params.yaml.
        main_process: whether this is the process that measures.
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
    except Exception:  # noqa: BLE001 - a figure beside the work; no training may end for it
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
