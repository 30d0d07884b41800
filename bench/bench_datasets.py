"""How long the data sets take that a chapter simulates, each as it is called there, against the 3 s allowed.

Run with ``python bench/bench_datasets.py``; times are processor seconds of the best of three calls, imports and
bundled files excluded by a first call. A slow one is marked; nothing fails because a machine is busy.
"""

import time
import warnings

from threadpoolctl import threadpool_limits

from course_lib import data

LIMIT_S = 3.0

#: Function of course_lib.data, options as the chapters use them.
CALLS = [
    ("make_earthquakes", {"n_events": 100_000}),
    ("make_seismic_records", {"n_events": 10_000}),
    ("make_wine_quality", {}),
    ("make_checkerboard", {"n_samples": 100_000}),
    ("make_two_moons", {"n_samples": 100_000}),
    ("make_circles", {"n_samples": 100_000}),
    ("make_spirals", {"n_samples": 100_000}),
    ("make_interpolation", {"n_samples": 20_000}),
    ("fetch_mnist", {"stand_in": True}),
    ("fetch_fashion_mnist", {"stand_in": True}),
    ("fetch_cifar10", {"stand_in": True, "n_train": 10_000, "n_test": 2000}),
    ("load_phase_features", {"n_samples": 5000}),
    ("load_karate_club", {}),
    ("make_planing", {"n_samples": 40_000}),
    ("make_pendulum", {"n_samples": 10_000}),
    ("make_springs", {"n_systems": 500}),
    ("make_lennard_jones", {"n_systems": 50}),
    ("make_maxwell_boltzmann", {"n_sets": 5000}),
    ("make_sine_waves", {"n_series": 200, "n_steps": 1000}),
    ("make_radio_pulses", {"n_traces": 10_000}),
    ("make_magnet_currents", {"n_series": 200}),
    ("make_crack_growth", {"n_sheets": 50}),
    ("make_daya_bay", {"n_events": 10_000}),
    ("make_gravitational_waves", {"n_traces": 8000}),
    ("make_palindromes", {"n_sequences": 20_000}),
    ("make_occupancies", {"n_maps": 4000}),
]


def size_of(value):
    """Bytes of all arrays of a data set."""
    if isinstance(value, tuple):
        return sum(size_of(item) for item in value)
    return getattr(value, "nbytes", 0)


def measure(name, options):
    """Best processor time of three calls in s, and the size of the result in bytes."""
    function = getattr(data, name)
    seeded = {"seed": 0} if name.startswith("make_") else {}
    best = float("inf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", data.StandInNotice)
        function(**options, **seeded)
        for _ in range(3):
            start = time.process_time()
            result = function(**options, **seeded)
            best = min(best, time.process_time() - start)
    return best, size_of(result)


def main():
    """Print the table."""
    print(f"{'call':<74} {'s':>7} {'MB':>7}")
    for name, options in CALLS:
        seconds, n_bytes = measure(name, options)
        too_slow = seconds > LIMIT_S
        call = f"{name}({', '.join(f'{key}={value}' for key, value in options.items())})"
        print(f"{call:<74} {seconds:7.3f} {n_bytes / 1e6:7.1f}{'  TOO SLOW' if too_slow else ''}", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):  # one core, a student's share of a hub
        main()
