"""Hamiltonian systems against exact solutions, conservation laws and independent integrators."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from course_lib.data import make_lennard_jones, make_pendulum, make_springs
from course_lib.simulators import lennard_jones, pendulum, springs
from course_lib.simulators.integrators import explicit_euler, leapfrog, runge_kutta4

# ---- integrators


@pytest.mark.parametrize(("method", "order"), [(explicit_euler, 1), (leapfrog, 2), (runge_kutta4, 4)])
def test_order_of_convergence(method, order):
    errors = []
    for n_steps in (100, 200):
        positions, _ = method(lambda q: -q, 1.0, 0.0, time_step=5.0 / n_steps, n_steps=n_steps)
        errors.append(abs(positions[-1] - math.cos(5.0)))
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.15


def test_leapfrog_has_no_energy_drift_over_a_thousand_periods():
    step, n_steps = 0.1, 62_832
    positions, velocities = leapfrog(lambda q: -q, 1.0, 0.0, time_step=step, n_steps=n_steps)
    energy = 0.5 * (positions**2 + velocities**2)
    assert np.abs(energy - 0.5).max() < 0.5 * step**2  # bounded by the exactly conserved shadow energy
    thirds = np.array_split(energy, 3)
    assert abs(thirds[0].mean() - thirds[2].mean()) < 1e-6
    # The shadow Hamiltonian of the leapfrog, exactly conserved for the oscillator.
    shadow = velocities**2 + positions**2 * (1 - step**2 / 4)
    assert np.ptp(shadow) < 1e-9


def test_leapfrog_is_reversible_and_preserves_area():
    force = lambda q: -np.sin(q)  # noqa: E731
    start = np.array([0.5, 1.0, 2.0]), np.array([0.3, -0.2, 0.1])
    path, speed = leapfrog(force, *start, time_step=0.05, n_steps=500)
    back, _ = leapfrog(force, path[-1], -speed[-1], time_step=0.05, n_steps=500)
    assert np.allclose(back[-1], start[0], atol=1e-10)
    d = 1e-5  # determinant of the map's derivatives by central differences
    shifts = np.array([[d, 0], [-d, 0], [0, d], [0, -d]])
    q, v = leapfrog(force, 0.7 + shifts[:, 0], 0.4 + shifts[:, 1], time_step=0.1, n_steps=100)
    end = np.stack([q[-1], v[-1]])
    jacobian = np.stack([(end[:, 0] - end[:, 1]), (end[:, 2] - end[:, 3])]) / (2 * d)
    assert abs(np.linalg.det(jacobian) - 1) < 1e-6


def test_explicit_euler_gains_energy_by_the_known_factor():
    positions, velocities = explicit_euler(lambda q: -q, 1.0, 0.0, time_step=0.1, n_steps=200)
    assert math.isclose(positions[-1] ** 2 + velocities[-1] ** 2, 1.01**200, rel_tol=1e-9)


def test_recording_less_keeps_the_same_states():
    everything = leapfrog(np.negative, [1.0, 2.0], [0.0, 0.5], time_step=0.1, n_steps=20)
    some = leapfrog(np.negative, [1.0, 2.0], [0.0, 0.5], time_step=0.1, n_steps=20, record_every=5)
    assert np.array_equal(everything[0][::5], some[0]) and np.array_equal(everything[1][::5], some[1])
    with pytest.raises(ValueError, match="multiple of record_every"):
        leapfrog(np.negative, 1.0, 0.0, time_step=0.1, n_steps=20, record_every=3)
    with pytest.raises(ValueError, match="same shape"):
        leapfrog(np.negative, [1.0, 2.0], 0.0, time_step=0.1, n_steps=20)


# ---- pendulum


def test_harmonic_states_obey_hamiltons_equations():
    mass, spring_constant = 0.7, 3.1
    states, derivatives = make_pendulum(500, mass=mass, spring_constant=spring_constant, seed=1)

    def energy(q, p):
        return pendulum.harmonic_energy(q, p, mass=mass, spring_constant=spring_constant)

    q, p = states.T
    d = 1e-5
    assert np.allclose(derivatives[:, 0], (energy(q, p + d) - energy(q, p - d)) / (2 * d))
    assert np.allclose(derivatives[:, 1], -(energy(q + d, p) - energy(q - d, p)) / (2 * d))
    amplitudes = np.sqrt(2 * energy(q, p) / spring_constant)
    assert amplitudes.min() > 0.2 and amplitudes.max() < 1.2


def test_harmonic_noise_is_independent_in_all_columns():
    clean, noisy = make_pendulum(20_000, seed=2), make_pendulum(20_000, noise=0.1, seed=2)
    errors = np.column_stack([noisy.states - clean.states, noisy.derivatives - clean.derivatives])
    assert np.abs(errors.std(0) - 0.1).max() < 5 * 0.1 / math.sqrt(40_000)
    assert np.abs(np.corrcoef(errors.T) - np.eye(4)).max() < 5 / math.sqrt(20_000)


@pytest.mark.parametrize("amplitude", [0.1, 1.0, math.pi / 2, 2.8])
def test_period_of_the_swing_is_the_elliptic_integral(amplitude):
    omega = 1.7
    period = 4 * ellipk(math.sin(amplitude / 2) ** 2) / omega
    assert math.isclose(pendulum.period(amplitude, angular_frequency=omega), period)
    angles, rates = pendulum.swing(amplitude, 0.0, time_step=period / 4000, n_steps=4000, angular_frequency=omega)
    assert abs(angles[-1] - amplitude) < 1e-5 and abs(rates[-1]) < 1e-3
    assert abs(angles[2000] + amplitude) < 1e-5 and abs(angles[1000]) < 1e-3


def test_damped_swing_agrees_with_an_adaptive_solver():
    friction, omega = 0.3, 2.0
    angles, rates = pendulum.swing(1.5, -0.4, time_step=0.002, n_steps=5000, angular_frequency=omega, friction=friction)
    reference = solve_ivp(
        lambda t, y: [y[1], -(omega**2) * np.sin(y[0]) - friction * y[1]], (0, 10), [1.5, -0.4], rtol=1e-10, atol=1e-12
    ).y[:, -1]
    assert np.allclose([angles[-1], rates[-1]], reference, atol=1e-5)


# ---- springs


def test_springs_conserve_what_they_must():
    positions, velocities, connections, _ = make_springs(20, n_steps=200, rest_length=0.5, seed=3)
    momentum = velocities.sum(2)
    assert np.abs(momentum).max() < 1e-10 and np.abs(positions.mean(2)).max() < 1e-10
    angular = (positions[..., 0] * velocities[..., 1] - positions[..., 1] * velocities[..., 0]).sum(2)
    assert np.abs(angular - angular[:, :1]).max() < 1e-10
    energy = springs.energy(positions, velocities, connections[:, None], rest_length=0.5)
    drift = np.abs(energy - energy[:, :1]) / energy[:, :1]
    assert drift.max() < 2e-3
    assert np.abs(energy[:, :50].mean(1) - energy[:, -50:].mean(1)).max() < 1e-3 * energy.max()


def test_springs_move_in_the_exact_normal_modes():
    """With rest length zero the equations are linear: r(t) = cos(W t) r0 + sin(W t)/W v0, W^2 = (k/m) Laplacian."""
    k = 1.3
    positions, velocities, connections, step = make_springs(5, n_steps=40, spring_constant=k, seed=4)
    for system in range(5):
        adjacency = connections[system].astype(float)
        values, modes = np.linalg.eigh(k * (np.diag(adjacency.sum(0)) - adjacency))
        omega = np.sqrt(values.clip(0))
        time = 40 * step
        sine = np.where(omega > 1e-6, np.sin(omega * time) / np.where(omega > 1e-6, omega, 1), time)
        exact = modes @ (
            np.cos(omega * time)[:, None] * (modes.T @ positions[system, 0])
            + sine[:, None] * (modes.T @ velocities[system, 0])
        )
        assert np.abs(exact - positions[system, -1]).max() < 2e-3


def test_spring_forces_are_the_gradient_of_the_energy():
    rng = np.random.default_rng(5)
    where = rng.normal(size=(4, 2))
    links = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]])
    constants = {"mass": 2.0, "spring_constant": 3.0, "rest_length": 0.7}
    ours = springs.accelerations(where, links, **constants) * 2.0
    for body in range(4):
        for axis in range(2):
            shift = np.zeros((4, 2))
            shift[body, axis] = 1e-6
            up, down = (springs.energy(where + s * shift, 0 * where, links, **constants) for s in (1, -1))
            assert abs(ours[body, axis] + (up - down) / 2e-6) < 1e-6


def test_connections_are_symmetric_and_as_frequent_as_asked():
    _, _, connections, _ = make_springs(2000, n_bodies=6, n_steps=1, connected_fraction=0.3, seed=6)
    assert np.array_equal(connections, connections.transpose(0, 2, 1))
    assert not connections.diagonal(axis1=1, axis2=2).any()
    pairs = connections[:, *np.triu_indices(6, 1)]
    assert abs(pairs.mean() - 0.3) < 5 * math.sqrt(0.21 / pairs.size)
    with pytest.raises(ValueError, match="connected_fraction"):
        make_springs(2, connected_fraction=1.5)


# ---- Lennard-Jones


def test_pair_potential_is_continuous_and_has_the_textbook_minimum():
    distance = np.linspace(0.9, 3.0, 21_001)
    energy = lennard_jones.pair_potential(distance)
    # The linear term of the shift moves the minimum of the plain potential, 2^(1/6), only a little.
    assert abs(distance[energy.argmin()] - 2 ** (1 / 6)) < 2e-3
    assert abs(energy.min() + 1) < 0.1
    near = lennard_jones.pair_potential(np.array([2.5 - 1e-6, 2.5 + 1e-6]))
    assert abs(near[0] - near[1]) < 1e-10
    assert abs((near[0] - lennard_jones.pair_potential(2.5 - 2e-6)) / 1e-6) < 1e-5  # slope vanishes, too


def test_forces_equal_a_plain_double_loop_over_images():
    rng = np.random.default_rng(7)
    box = 6.0
    where = (np.stack(np.meshgrid(*[np.arange(4)] * 2), -1).reshape(-1, 2) + 0.5) * 1.5 + 0.1 * rng.normal(size=(16, 2))
    expected, energy = np.zeros((16, 2)), 0.0
    for i in range(16):
        for j in range(16):
            for image in np.stack(np.meshgrid([-box, 0, box], [-box, 0, box]), -1).reshape(-1, 2):
                difference = where[i] - where[j] - image
                r = math.hypot(*difference)
                if 0 < r < 2.5:
                    energy += 0.5 * float(lennard_jones.pair_potential(r))
                    slope = 4 * (-12 * r**-13 + 6 * r**-7) - 4 * (-12 * 2.5**-13 + 6 * 2.5**-7)
                    expected[i] -= slope * difference / r
    assert np.allclose(lennard_jones.forces(where, box), expected)
    assert math.isclose(lennard_jones.potential_energy(where, box), energy)
    shifted = where + np.array([3.3, -8.1])
    assert np.allclose(lennard_jones.forces(shifted, box), expected)


def test_two_atoms_vibrate_with_the_analytic_frequency():
    """Small oscillations about the minimum: omega^2 = V'' / reduced mass, with reduced mass 1/2."""
    slope_at_cut = -24 * (2 * 2.5**-13 - 2.5**-7)

    def slope(r):
        return -24 * (2 * r**-13 - r**-7) - slope_at_cut

    low, high = 1.0, 1.3
    for _ in range(60):  # bisection for the minimum
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    curvature = (slope(low + 1e-6) - slope(low - 1e-6)) / 2e-6
    period = 2 * math.pi / math.sqrt(2 * curvature)
    start = [[0.0, 0.0], [low + 1e-3, 0.0]]
    step = period / 1000
    path, _ = lennard_jones.integrate(start, np.zeros((2, 2)), 10.0, time_step=step, n_steps=10_000)
    stretch = path[:, 1, 0] - path[:, 0, 0] - low
    assert abs(stretch[10_000] - 1e-3) < 2e-5 and abs(stretch[9500] + 1e-3) < 2e-5


def test_lennard_jones_energy_does_not_drift_and_momentum_stays_zero():
    positions, velocities, potential, box, _ = make_lennard_jones(6, n_steps=400, seed=8)
    energy = potential + 0.5 * (velocities**2).sum((2, 3))
    assert np.abs(velocities.sum(2)).max() < 1e-10
    assert np.allclose(potential, lennard_jones.potential_energy(positions, box))
    kinetic = 0.5 * (velocities**2).sum((2, 3))
    assert np.abs(energy - energy[:, :1]).max() < 0.02 * kinetic.mean()
    drift = energy[:, -100:].mean(1) - energy[:, :100].mean(1)
    assert np.abs(drift).max() < 2e-3 * kinetic.mean()


def test_lennard_jones_starts_at_the_asked_temperature_and_stays_dense():
    _, velocities, _, box, _ = make_lennard_jones(10, n_atoms=20, density=0.4, temperature=1.1, n_steps=2, seed=9)
    degrees = 2 * 20 - 2
    assert np.allclose((velocities[:, 0] ** 2).sum((1, 2)) / degrees, 1.1)
    assert math.isclose(20 / box**2, 0.4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lennard_jones.forces(np.zeros((3, 3)), 10.0), r"shape \(..., n_atoms, 2\)"),
        (lambda: lennard_jones.forces(np.zeros((3, 2)), 4.0), "box must be at least 5"),
        (lambda: lennard_jones.forces(np.zeros((500, 2)), 40.0), "at most 200 atoms"),
        (lambda: make_lennard_jones(1, n_atoms=100, density=2.0), "density must leave"),
        (lambda: make_lennard_jones(1, n_atoms=4), "n_atoms / density must be at least 25"),
        (lambda: make_pendulum(10, mass=-1.0), "mass must be a positive number"),
        (lambda: make_springs(1, n_bodies=1), "n_bodies must be"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
