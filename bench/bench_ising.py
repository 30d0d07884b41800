"""Ising samples: independent configurations per second of CPU time, one core, 32 x 32 spins.

    python bench/bench_ising.py [--no-peer]

Compared in the same run: this course's Swendsen-Wang chains, a Metropolis sweep in plain numpy (checkerboard,
128 lattices at once), and mcising, a public package with a Rust core, installed into a throw-away environment.
A chain whose slowest observable (energy or |m|) has the integrated autocorrelation time tau gives one independent
configuration every 2 tau sweeps.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from course_lib.simulators import ising

SIZE = 32
TEMPERATURES = (1.5, 2.269, 3.0)
PEER = "mcising==1.1.0"
# Single-spin flips are slow only near the critical temperature; 128 chains of these lengths give tau to some percent.
METROPOLIS_SWEEPS = {1.5: 300, 2.269: 3000, 3.0: 300}

# Runs in the environment of the peer; one (seconds, energies, magnetisations) a line of the result.
PEER_PROGRAM = """
import json, sys, time
import mcising
results = {}
for algorithm, temperature, n_sweeps, interval in json.loads(sys.argv[1]):
    settings = mcising.SimulationConfig(
        lattice=mcising.LatticeConfig(size=32, j1=1.0), temperatures=(temperature,), seed=1, n_sweeps=n_sweeps,
        n_thermalization=1000, measurement_interval=interval, algorithm=mcising.Algorithm(algorithm))
    start = time.process_time()
    run = mcising.Simulation(settings).run()
    seconds = time.process_time() - start
    results[f"{algorithm} {temperature}"] = [
        seconds, list(map(float, run.energy[temperature])), list(map(float, run.magnetization[temperature]))]
open(sys.argv[2], "w").write(json.dumps(results))
"""


def autocorrelation_time(series):
    """Integrated autocorrelation time in steps of ``series`` (n_chains, n_steps); window of 6 tau (Sokal)."""
    fluctuations = series - series.mean()
    n_steps = series.shape[1]
    spectrum = np.abs(np.fft.rfft(fluctuations, 2 * n_steps, axis=1)) ** 2
    correlations = np.fft.irfft(spectrum, axis=1)[:, :n_steps].sum(axis=0) / np.arange(n_steps, 0, -1)
    taus = 0.5 + np.cumsum(correlations[1:] / correlations[0])
    windows = np.arange(1, n_steps)
    closed = windows >= 6 * taus
    return max(0.5, taus[np.argmax(closed)] if closed.any() else taus[-1])


def slowest(energies, magnetisations):
    return max(autocorrelation_time(np.atleast_2d(values)) for values in (energies, np.abs(magnetisations)))


def metropolis_sweep(spins, temperature, generator):
    """One sweep over ``spins`` (n, size, size) in plain numpy: all black sites, then all white ones."""
    black = np.indices(spins.shape[1:]).sum(axis=0) % 2 == 0
    for colour in (black, ~black):
        neighbours = (
            np.roll(spins, 1, axis=1)
            + np.roll(spins, -1, axis=1)
            + np.roll(spins, 1, axis=2)
            + np.roll(spins, -1, axis=2)
        )
        # exp(-dE/T) with dE = 2 s h from a table of the nine values of s h + 4.
        acceptance = np.exp(-2.0 * np.arange(-4, 5) / temperature).astype(np.float32)[spins * neighbours + 4]
        turn = (generator.random(spins.shape, dtype=np.float32) < acceptance) & colour
        np.negative(spins, out=spins, where=turn)


def measure_numpy(temperature):
    """Sweeps per second (of one lattice among 128) and tau in sweeps; starts in equilibrium."""
    spins = ising.sample(128, temperature, seed=2)
    generator = np.random.default_rng(3)
    n_sweeps = METROPOLIS_SWEEPS[temperature]
    energies, magnetisations, seconds = [], [], 0.0
    for _ in range(n_sweeps):
        start = time.process_time()
        metropolis_sweep(spins, temperature, generator)
        seconds += time.process_time() - start
        energies.append(ising.energy_per_spin(spins))
        magnetisations.append(ising.magnetisation(spins))
    return n_sweeps * len(spins) / seconds, slowest(np.transpose(energies), np.transpose(magnetisations))


def measure_chain(temperature):
    """Sweeps per second and tau of our Swendsen-Wang chains."""
    spins = ising.sample(500, temperature, seed=4)
    energies, magnetisations, seconds = [], [], 0.0
    for step in range(100):
        start = time.process_time()
        spins = ising.evolve(spins, temperature, seed=step)
        seconds += time.process_time() - start
        energies.append(ising.energy_per_spin(spins))
        magnetisations.append(ising.magnetisation(spins))
    return 100 * len(spins) / seconds, slowest(np.transpose(energies), np.transpose(magnetisations))


def measure_sample(temperature):
    start = time.process_time()
    ising.sample(500, temperature, seed=5)
    return 500 / (time.process_time() - start)


def measure_peer(folder):
    """Run the peer in its own environment: {"algorithm temperature": (sweeps per second, tau in sweeps)}."""
    jobs = [("swendsen_wang", temperature, 4000, 1) for temperature in TEMPERATURES]
    jobs += [("metropolis", 1.5, 20_000, 1), ("metropolis", 2.269, 200_000, 20), ("metropolis", 3.0, 20_000, 1)]
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True, timeout=300, capture_output=True)
    output = folder / "peer.json"
    one_thread = {**os.environ, "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [python, "-c", PEER_PROGRAM, json.dumps(jobs), output],
        check=True,
        timeout=300,
        capture_output=True,
        env=one_thread,
    )
    results = json.loads(output.read_text())
    rates = {}
    for algorithm, temperature, n_sweeps, interval in jobs:
        seconds, energies, magnetisations = results[f"{algorithm} {temperature}"]
        tau = interval * slowest(np.array(energies), np.array(magnetisations))
        rates[f"{algorithm} {temperature}"] = ((n_sweeps + 1000) / seconds, tau)
        # Same physics, or the comparison is void; ten standard errors, because tau is a measured number.
        error = np.std(energies) * np.sqrt(2 * tau / n_sweeps)
        difference = np.mean(energies) - ising.finite_lattice_energy(temperature)
        if abs(difference) > 10 * error:
            raise RuntimeError(f"{PEER} {algorithm} at T = {temperature}: energy is off by {difference:.4f}")
    return rates


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--no-peer", action="store_true", help="skip the installation of the public package")
    options = arguments.parse_args()

    ising.sample(1, 2.0, seed=0)  # compile
    start, start_wall = time.process_time(), time.perf_counter()
    ising.sample(1000, np.arange(10, 36) / 10, seed=1)
    print(
        f"26 000 configurations, 26 temperatures, {SIZE} x {SIZE}: {time.process_time() - start:.1f} s of CPU time, "
        f"{time.perf_counter() - start_wall:.1f} s by the clock (target: 60 s on one core)\n"
    )

    peer, peer_note = {}, "not measured (--no-peer)"
    if not options.no_peer:
        try:
            with tempfile.TemporaryDirectory() as folder:
                peer = measure_peer(Path(folder))
        except (subprocess.SubprocessError, OSError) as error:
            peer_note = f"could not be installed or run here ({type(error).__name__})"

    print(f"{'T':>6}  {'method':<38} {'sweeps/s':>10} {'tau/sweeps':>10} {'independent/s':>14} {'ratio':>8}")
    for temperature in TEMPERATURES:
        rows = [("numpy, Metropolis checkerboard", *measure_numpy(temperature))]
        rows += [
            (f"{PEER}, {name}", *peer[f"{name} {temperature}"]) for name in ("metropolis", "swendsen_wang") if peer
        ]
        rows.append(("course_lib, evolve: one chain", *measure_chain(temperature)))
        reference = rows[0][1] / (2 * rows[0][2])
        for name, sweeps_per_s, tau in rows:
            independent = sweeps_per_s / (2 * tau)
            print(
                f"{temperature:6.3f}  {name:<38} {sweeps_per_s:10,.0f} {tau:10.1f} {independent:14,.0f}"
                f" {independent / reference:7.1f}x"
            )
        independent = measure_sample(temperature)
        print(
            f"{temperature:6.3f}  {'course_lib, sample: a chain each':<38} {60 * independent:10,.0f} {'-':>10}"
            f" {independent:14,.0f} {independent / reference:7.1f}x"
        )
    if not peer:
        print(f"\n{PEER}: {peer_note}")
    print(
        "\nratio: independent configurations per second against the numpy sweep; CPU time, one thread.\n"
        "Not counted, in favour of Metropolis: below the critical temperature it keeps one sign of m; its start-up of\n"
        "some ten tau. `sample` includes its start-up: 60 sweeps for every configuration, whatever the temperature."
    )


if __name__ == "__main__":
    sys.exit(main())
