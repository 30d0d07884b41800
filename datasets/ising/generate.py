"""Produce datasets/ising/ising.npz and its line in datasets/registry.txt.

    python datasets/ising/generate.py

Takes about a minute. Same code, same seed: same bytes.
"""

import hashlib
from pathlib import Path

import numpy as np

from course_lib.simulators import ising

FOLDER = Path(__file__).resolve().parent
REGISTRY = FOLDER.parent / "registry.txt"
SEED = 20_210
SIZE = 32
SAMPLES_PER_TEMPERATURE = 1000
# Tenths of J/k_B: 1.0, 1.1 ... 3.5.
TEMPERATURES = np.arange(10, 36) / 10


def shuffled_order():
    """Which of the configurations, counted temperature by temperature, stands at each place of the file."""
    return np.random.default_rng(SEED).permutation(len(TEMPERATURES) * SAMPLES_PER_TEMPERATURE)


def main():
    spins = ising.sample(SAMPLES_PER_TEMPERATURE, TEMPERATURES, size=SIZE, seed=SEED)
    spin_bits = np.packbits(spins.reshape(-1, SIZE * SIZE) > 0, axis=1)
    temperature_index = np.repeat(np.arange(len(TEMPERATURES), dtype=np.uint8), SAMPLES_PER_TEMPERATURE)
    order = shuffled_order()
    path = FOLDER / "ising.npz"
    # Not compressed: the bits hold little redundancy, and the bytes then do not depend on the zlib version.
    np.savez(path, spin_bits=spin_bits[order], temperature_index=temperature_index[order])

    name = path.relative_to(REGISTRY.parent).as_posix()
    lines = REGISTRY.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line.split()[:1] != [name]]
    lines.append(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    REGISTRY.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {len(spin_bits)} configurations")


if __name__ == "__main__":
    main()
