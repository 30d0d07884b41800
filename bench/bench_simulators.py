"""Speed of the simulators with a promised time, and against plain loops in the same run, on one core.

    python bench/bench_simulators.py [--full]

First table: the promised numbers. By default a tenth is drawn and the time scaled up; --full draws all. Second
table: the same work by the library and by a loop over single events in Python and its math module, as a student
would write it first. CPU time of all threads, so that other work on the machine does not count.
"""

import argparse
import math
import random
import time

import numpy as np

from course_lib.simulators import (
    air_showers,
    arrival_directions,
    calorimeter,
    craters,
    double_beta,
    galaxies,
    higgs_events,
    jets,
    lensing_maps,
    neutrino_views,
    speckle,
    three_jets,
)


def loop_air_showers(n_events):
    """Mean signals, times and errors of all stations, one station after the other."""
    stations = air_showers.station_positions().reshape(-1, 2).tolist()
    generator = random.Random(1)
    for _ in range(n_events):
        sine = math.sqrt(0.75 * generator.random())
        cosine, azimuth = math.sqrt(1 - sine**2), 2 * math.pi * generator.random()
        core_x, core_y = generator.uniform(-750, 750), generator.uniform(-750, 750)
        size = 10 ** (1.5 * generator.random() + 0.5)
        for x, y in stations:
            east, north = x - core_x, y - core_y
            along = sine * (east * math.cos(azimuth) + north * math.sin(azimuth))
            distance = math.sqrt(max(east**2 + north**2 - along**2, 2500))
            signal = size * (distance * (distance + 700) / 1.7e6) ** (-2.5 + 0.3 / cosine)
            signal += math.sqrt(0.04 * signal + (0.03 * signal) ** 2) * generator.gauss(0, 1)
            generator.gauss((distance**2 * cosine / 18_000 - along) / 3e8, 20e-9)


def loop_jet_images(constituents):
    """Centre, turn and pixelate given jets, one particle after the other."""
    for jet in constituents.tolist():
        used = [(momentum, eta, phi) for momentum, eta, phi in jet if momentum > 0]
        total = sum(particle[0] for particle in used)
        first = used[0][2]
        places = [(momentum, eta, (phi - first + math.pi) % (2 * math.pi) - math.pi) for momentum, eta, phi in used]
        centre = [sum(p[0] * p[axis] for p in places) / total for axis in (1, 2)]
        places = [(p, x - centre[0], y - centre[1]) for p, x, y in places]
        angle = 0.5 * math.atan2(
            2 * sum(p * x * y for p, x, y in places), sum(p * (x * x - y * y) for p, x, y in places)
        )
        picture = [[0.0] * 33 for _ in range(33)]
        for momentum, x, y in places:
            across, along = (
                math.sin(angle) * x - math.cos(angle) * y,
                math.cos(angle) * x + math.sin(angle) * y,
            )
            column, row = int((across + 1.25) * 13.2), int((along + 1.25) * 13.2)
            if 0 <= column < 33 and 0 <= row < 33:
                picture[row][column] += momentum


def loop_decays(n_events):
    """The five two-body decays of an event, one after the other."""
    generator = random.Random(1)

    def decay(parent, first_mass, second_mass):
        mass = math.sqrt(parent[0] ** 2 - parent[1] ** 2 - parent[2] ** 2 - parent[3] ** 2)
        energy = (mass**2 + first_mass**2 - second_mass**2) / (2 * mass)
        momentum = math.sqrt(max(energy**2 - first_mass**2, 0))
        cosine, angle = generator.uniform(-1, 1), generator.uniform(0, 2 * math.pi)
        sine = math.sqrt(1 - cosine**2)
        x, y, z = momentum * sine * math.cos(angle), momentum * sine * math.sin(angle), momentum * cosine
        along = (parent[1] * x + parent[2] * y + parent[3] * z) / mass
        factor = along / (parent[0] + mass) + energy / mass
        first = [
            parent[0] * energy / mass + along,
            x + factor * parent[1],
            y + factor * parent[2],
            z + factor * parent[3],
        ]
        return first, [a - b for a, b in zip(parent, first, strict=True)]

    for _ in range(n_events):
        w, charged = decay([math.hypot(425, 30), 30, 0, 0], 80.4, 325)
        other, light = decay(charged, 80.4, 125)
        decay(light, 4.7, 4.7)
        decay(w, 0, 0)
        decay(other, 0, 0)


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--full", action="store_true", help="draw the whole promised number")
    part = 1 if arguments.parse_args().full else 10

    promised = [
        ("air showers, 9 x 9", 50_000, 5, lambda n: air_showers.sample(n, seed=1)),
        ("jets to 33 x 33 images", 100_000, 60, lambda n: jets.images(jets.sample(n, seed=1)[0])),
        ("higgs events", 250_000, 10, lambda n: higgs_events.sample(n, seed=1)),
        ("skies of 500 arrivals", 2_000, 3, lambda n: arrival_directions.sample(n, seed=1)),
        ("calorimeter side views", 4_000, 3, lambda n: calorimeter.sample_projections(n, seed=1)),
        ("speckle frames", 2_400, 3, lambda n: speckle.sample(n, seed=1)),
        ("galaxies, 32 x 32", 4_000, 3, lambda n: galaxies.sample(n, seed=1)),
        ("lensing maps, 32 x 32", 6_000, 3, lambda n: lensing_maps.sample(n, seed=1)),
        ("neutrino views, 2 x 24 x 40", 6_000, 3, lambda n: neutrino_views.sample(n, seed=1)),
        ("three-jet events", 100_000, 3, lambda n: three_jets.sample(n, seed=1)),
        ("crater candidates", 4_910, 3, lambda n: craters.sample(n, seed=1)),
        ("double beta, diffused", 5_000, 3, lambda n: double_beta.sample(n, diffusion_cm=1.0, seed=1)),
    ]
    print(f"{'simulator':<28} {'number':>8} {'seconds':>8} {'target':>7} {'a second':>10}")
    for name, number, target_s, draw in promised:
        draw(50)  # what the first call costs is not counted
        seconds = cpu_seconds(lambda draw=draw, number=number: draw(number // part)) * part
        verdict = "" if seconds <= target_s else "  slower than the target"
        print(f"{name:<28} {number:8,} {seconds:8.2f} {target_s:7} {number / seconds:10,.0f}{verdict}")

    some_jets = jets.sample(2048, seed=1)[0]
    signal, generator = np.ones(4096, bool), np.random.default_rng(1)
    compared = [
        ("air showers, 9 x 9", 2048, lambda n: air_showers.sample(n, seed=1), 300, loop_air_showers),
        (
            "images of given jets",
            2048,
            lambda n: jets.images(some_jets[:n]),
            300,
            lambda n: loop_jet_images(some_jets[:n]),
        ),
        (
            "decays of higgs events",
            4096,
            lambda n: higgs_events.collide(signal[:n], generator),
            2000,
            loop_decays,
        ),
    ]
    print(f"\n{'the same work':<28} {'library, a second':>18} {'loop, a second':>15} {'ratio':>7}")
    for name, n_library, library, n_loop, loop in compared:
        library(50)
        # The best of three: the machine is rarely alone.
        library_rate = n_library / min(cpu_seconds(lambda f=library, n=n_library: f(n)) for _ in range(3))
        loop_rate = n_loop / min(cpu_seconds(lambda f=loop, n=n_loop: f(n)) for _ in range(3))
        print(f"{name:<28} {library_rate:18,.0f} {loop_rate:15,.0f} {library_rate / loop_rate:6.1f}x")
    print(f"\nCPU time of one core, first table {'in full' if part == 1 else 'from a tenth'}; numpy {np.__version__}")


if __name__ == "__main__":
    main()
