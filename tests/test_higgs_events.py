"""Collisions against conservation of four-momentum, kinematic laws, resonances and symmetries."""

import gzip
import hashlib
import http.server
import math
import threading

import numpy as np
import pytest
from scipy import stats

from course_lib.data import _higgs_events as table_module
from course_lib.data import _resolution, fetch_higgs_events, make_higgs_events
from course_lib.data._resolution import DataUnavailable, StandInNotice
from course_lib.simulators import higgs_events

PERFECT = {
    "jet_stochastic": 0.0,
    "jet_constant": 0.0,
    "missing_noise_gev": 0.0,
    "tag_efficiency": 1.0,
    "mistag_rate": 0.0,
}


def invariant_mass(*momenta):
    energy, x, y, z = sum(momenta)
    return np.sqrt(np.maximum(energy**2 - x**2 - y**2 - z**2, 0))


@pytest.fixture(scope="module")
def truth():
    labels = np.arange(6000) % 2 == 0
    return labels, higgs_events.collide(labels, np.random.default_rng(1))


def test_a_decay_conserves_four_momentum_and_is_isotropic():
    rng = np.random.default_rng(2)
    momentum = rng.normal(scale=200, size=(3, 5000))
    parent = np.concatenate([np.sqrt(300**2 + (momentum**2).sum(0))[None], momentum])
    first, second = higgs_events.decay(parent, 80.4, 125.0, rng)
    assert np.abs(first + second - parent).max() < 1e-9
    assert np.abs(invariant_mass(first) - 80.4).max() < 1e-6
    assert np.abs(invariant_mass(second) - 125.0).max() < 1e-6
    # Energy of a product in the laboratory is linear in the cosine, so uniform between known limits for one parent.
    still = np.repeat(parent[:, :1], 5000, axis=1)
    energy = higgs_events.decay(still, 80.4, 125.0, rng)[0][0]
    at_rest = (300**2 + 80.4**2 - 125**2) / 600
    swing = math.sqrt(at_rest**2 - 80.4**2) * np.linalg.norm(parent[1:, 0]) / 300
    middle = at_rest * parent[0, 0] / 300
    assert stats.kstest(energy, "uniform", args=(middle - swing, 2 * swing)).pvalue > 1e-6


def test_final_particles_add_up_to_the_resonances(truth):
    labels, event = truth
    everything = invariant_mass(*event.values())
    assert np.abs(everything[labels] - 425).max() < 1e-6 and everything[~labels].min() > 2 * 172.5
    assert np.abs(invariant_mass(event["b1"], event["b2"])[labels] - 125).max() < 1e-6
    for name, mass in (("b1", 4.7), ("lepton", 0.0), ("quark2", 0.0)):
        assert np.abs(invariant_mass(event[name]) - mass).max() < 1e-2
    for label, extra in ((False, "b2"), (True, None)):
        light = [event["quark1"], event["quark2"]]
        w_mass = invariant_mass(*light)[labels == label]
        law = stats.cauchy(80.4, 2.1 / 2)
        low, high = law.cdf([65.4, 95.4])
        assert stats.kstest((law.cdf(w_mass) - low) / (high - low), "uniform").pvalue > 1e-6
        if extra:
            assert np.abs(invariant_mass(*light, event[extra])[~labels] - 172.5).max() < 1e-6
            leptonic = invariant_mass(event["lepton"], event["neutrino"], event["b1"])[~labels]
            assert np.abs(leptonic - 172.5).max() < 1e-6
    # The charged Higgs is either W with both b quarks.
    with_light = invariant_mass(event["quark1"], event["quark2"], event["b1"], event["b2"])[labels]
    with_lepton = invariant_mass(event["lepton"], event["neutrino"], event["b1"], event["b2"])[labels]
    hadronic = np.abs(with_light - 325) < 1e-6
    assert (hadronic | (np.abs(with_lepton - 325) < 1e-6)).all()
    assert abs(hadronic.mean() - 0.5) < 5 * 0.5 / math.sqrt(hadronic.size)


def test_lepton_and_b_quark_of_a_top_end_at_the_known_edge(truth):
    """m^2 of lepton and b is uniform up to (m_t^2 - m_W^2) for isotropic decays and a light b quark: 153 GeV."""
    labels, event = truth
    squared = invariant_mass(event["lepton"], event["b1"])[~labels] ** 2
    w_mass = invariant_mass(event["lepton"], event["neutrino"])[~labels]
    b_squared = 4.7**2
    # With the b quark's mass: 2 E_l (E_b -+ p_b) in the rest frame of the W, plus its own square.
    energy_b = (172.5**2 - w_mass**2 - b_squared) / (2 * w_mass)
    momentum_b = np.sqrt(energy_b**2 - b_squared)
    low, high = (b_squared + w_mass * (energy_b + sign * momentum_b) for sign in (-1, 1))
    assert stats.kstest((squared - low) / (high - low), "uniform").pvalue > 1e-6
    assert math.sqrt(172.5**2 - 80.4**2) == pytest.approx(152.6, abs=0.1)


def test_a_perfect_detector_reconstructs_the_resonances():
    features, labels, names, _ = make_higgs_events(3000, **PERFECT, seed=3)
    mass = {name: features[:, names.index(name)] for name in names[21:]}
    signal, top = labels == 1, labels == 0
    assert np.abs(mass["m_bb"][signal] - 125).max() < 0.01
    assert abs(np.median(mass["m_jj"]) - 80.4) < 0.3
    assert abs(np.median(mass["m_jjj"][top]) - 172.5) < 1
    # The smaller of two solutions for the neutrino is right in most events, and so is then the total mass.
    assert abs(np.median(mass["m_wwbb"][signal]) - 425) < 10
    close = np.abs(mass["m_jlv"][top] - 172.5) < 5
    assert close.mean() > 0.5
    # The charged Higgs is the two-jet W with both b quarks in half of the events; the cuts bias that a little.
    assert 0.35 < (np.abs(mass["m_wbb"][signal] - 325) < 0.1).mean() < 0.65


def test_a_wrong_tag_never_enters_the_light_pair_when_there_is_a_choice():
    features, _, names, _ = make_higgs_events(2000, seed=4)
    column = names.index
    jets = np.stack([features[:, [column(f"jet{n}_{q}") for q in ("pt", "eta", "phi", "b_tag")]] for n in range(1, 5)])
    jets = jets.astype(float)
    momenta = np.stack(
        [
            jets[..., 0] * np.cosh(jets[..., 1]),
            jets[..., 0] * np.cos(jets[..., 2]),
            jets[..., 0] * np.sin(jets[..., 2]),
            jets[..., 0] * np.sinh(jets[..., 1]),
        ],
        axis=1,
    )
    for event in range(0, 2000, 7):
        tagged = np.flatnonzero(jets[:, event, 3])
        if len(tagged) == 2:
            light = [n for n in range(4) if n not in tagged]
            # Jets of b quarks carry a mass of some GeV that transverse momenta do not tell.
            expected = invariant_mass(*momenta[light, :, event])
            assert features[event, column("m_jj")] == pytest.approx(expected, rel=2e-2, abs=5)


def test_the_longitudinal_momentum_gives_the_w_mass_or_there_is_no_solution():
    features, _, names, _ = make_higgs_events(2000, seed=5)
    get = {name: features[:, names.index(name)].astype(float) for name in names}
    m_lv = get["m_lv"]
    assert m_lv.min() > 80.39
    # Without a solution the transverse mass exceeds the W mass, and only then.
    transverse_mass = np.sqrt(
        2 * get["lepton_pt"] * get["missing_energy"] * (1 - np.cos(get["lepton_phi"] - get["missing_energy_phi"]))
    )
    clear = np.abs(transverse_mass - 80.4) > 0.1
    assert np.array_equal((m_lv > 80.401)[clear], (transverse_mass > 80.4)[clear])
    assert (m_lv > 80.401).any()


def test_acceptance_order_and_symmetries():
    features, labels, names, _ = make_higgs_events(8000, seed=6)
    columns = {name: features[:, names.index(name)] for name in names}
    momenta = np.stack([columns[f"jet{n}_pt"] for n in range(1, 5)])
    assert (np.diff(momenta, axis=0) <= 0).all() and min(momenta.min(), columns["lepton_pt"].min()) > 20
    for name in ("lepton", "jet1", "jet4"):
        assert np.abs(columns[f"{name}_eta"]).max() < 2.5
        # No direction around the beam and no end of the detector is preferred.
        assert stats.kstest(columns[f"{name}_phi"], "uniform", args=(-np.pi, 2 * np.pi)).pvalue > 1e-6
        eta = columns[f"{name}_eta"]
        assert abs(eta.mean()) < 5 * eta.std() / math.sqrt(len(eta))
    tags = np.stack([columns[f"jet{n}_b_tag"] for n in range(1, 5)])
    assert set(np.unique(tags)) == {0.0, 1.0} and (tags.sum(0) >= 1).all()
    # Lorentz invariants do not change under a turn around the beam or a boost along it.
    event = higgs_events.collide(labels[:500] == 1, np.random.default_rng(7))
    jets = np.stack([event[name] for name in ("b1", "b2", "quark1", "quark2")])
    chosen = np.repeat([[True], [True], [False], [False]], 500, axis=1)
    before = higgs_events.high_level(event["lepton"], event["neutrino"][1], event["neutrino"][2], jets, chosen)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[math.cos(2.0), -math.sin(2.0)], [math.sin(2.0), math.cos(2.0)]]
    turned_jets = np.einsum("ij,kjn->kin", turn, jets)
    neutrino = turn @ event["neutrino"]
    after = higgs_events.high_level(turn @ event["lepton"], neutrino[1], neutrino[2], turned_jets, chosen)
    assert np.allclose(after, before, rtol=1e-7, atol=1e-4)


def test_masses_separate_the_classes_better_than_any_momentum():
    features, labels, names, _ = make_higgs_events(6000, seed=8)

    def separation(name):
        column = features[:, names.index(name)]
        return stats.ks_2samp(column[labels == 1], column[labels == 0], method="asymp").statistic

    best_mass = max(separation(name) for name in names[21:])
    best_low = max(separation(name) for name in names[:21])
    assert best_mass > best_low + 0.05


def test_bad_arguments_are_named():
    for argument, value in (("tag_efficiency", 1.1), ("mistag_rate", -0.1), ("signal_fraction", 2.0)):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            make_higgs_events(3, **{argument: value})


# ---- the public table, from a small file of its form


N_SMALL, N_SMALL_TEST = 2500, 500


@pytest.fixture(scope="module")
def small_table():
    """Numbers of a table of 2500 rows, and the same as packed text in the form of the public one."""
    numbers = np.random.default_rng(3).normal(1.0, 0.4, (N_SMALL, 29)).astype(np.float32)
    numbers[:, 0] = np.arange(N_SMALL) % 2
    text = "\n".join(",".join(f"{value:.18e}" for value in row) for row in numbers.astype(float)) + "\n"
    return numbers, gzip.compress(text.encode(), 1)


@pytest.fixture
def public_table(monkeypatch, tmp_path, small_table):
    """A local server with the small table: its numbers, the addresses asked for, and a setter of the registry."""
    numbers, content = small_table
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name in ("COURSE_DATA_DIR", "COURSE_OFFLINE", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(_resolution, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(table_module, "N_PUBLIC_EVENTS", N_SMALL)
    monkeypatch.setattr(table_module, "N_PUBLIC_TEST_EVENTS", N_SMALL_TEST)
    monkeypatch.setattr(table_module, "_ROWS_AT_ONCE", 700)

    def register(data):
        entry = _resolution.RegisteredFile(
            "higgs_events",
            "HIGGS.csv.gz",
            hashlib.sha256(data).hexdigest(),
            f"http://127.0.0.1:{server.server_address[1]}/HIGGS.csv.gz",
            len(data),
        )
        monkeypatch.setattr(_resolution, "registry", lambda: {entry.key: entry})
        return entry

    register(content)
    yield numbers, asked, register
    server.shutdown()
    server.server_close()


def test_the_public_table_is_fetched_once_and_read_in_parts(public_table, tmp_path):
    numbers, asked, _ = public_table
    events = fetch_higgs_events(900, stand_in=False)
    assert events.provenance == "real" and events.features.dtype == np.float32
    assert np.array_equal(events.features, numbers[:900, 1:]) and np.array_equal(events.labels, numbers[:900, 0])
    test = fetch_higgs_events(500, part="test")
    assert np.array_equal(test.features, numbers[2000:, 1:])
    assert asked == ["/HIGGS.csv.gz"]
    folder = tmp_path / "cache" / "higgs_events"
    assert sorted(path.name for path in folder.iterdir()) == ["HIGGS.csv.gz", "higgs_events.npy"]
    # The array alone is enough; a damaged one is made again.
    (folder / "HIGGS.csv.gz").unlink()
    assert len(fetch_higgs_events(10, stand_in=False).labels) == 10
    (folder / "higgs_events.npy").write_bytes((folder / "higgs_events.npy").read_bytes()[:5000])
    assert np.array_equal(fetch_higgs_events(2000).features, numbers[:2000, 1:])
    assert len(asked) == 2


def test_a_folder_of_the_administrator_is_used_and_not_written_to(public_table, monkeypatch, tmp_path):
    numbers, asked, _ = public_table
    fetch_higgs_events(1)
    given = tmp_path / "given" / "higgs_events"
    given.parent.mkdir()
    (tmp_path / "cache" / "higgs_events").rename(given)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "given"))
    assert (
        np.array_equal(fetch_higgs_events(5).features, numbers[:5, 1:])
        and not (tmp_path / "cache").joinpath("higgs_events").exists()
    )
    (given / "higgs_events.npy").unlink()
    assert np.array_equal(fetch_higgs_events(5).features, numbers[:5, 1:])
    assert [path.name for path in given.iterdir()] == ["HIGGS.csv.gz"] and len(asked) == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([",".join(["1.0"] * 29)] * 2499, "ends after 2499"),
        ([",".join(["1.0"] * 29)] * 2501, "more than 2500"),
        ([",".join(["1.0"] * 28)] * 2500, "ends after|not a packed table"),
        (["a,b"] * 2500, "not a packed table"),
        ([",".join(["7.0"] * 29)] * 2500, "labels 0 and 1"),
    ],
)
def test_another_table_is_refused_and_leaves_no_array(public_table, tmp_path, lines, message):
    content = gzip.compress("\n".join(lines).encode(), 1)
    entry = public_table[2](content)
    path = tmp_path / "cache" / entry.key
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataUnavailable, match=message):
        fetch_higgs_events(10, stand_in=False)
    assert not list(path.parent.glob("tmp*"))
    with pytest.warns(StandInNotice, match="SIMULATED STAND-IN"):
        assert fetch_higgs_events(10).provenance == "stand-in"


def test_a_damaged_archive_is_one_clear_error(public_table, tmp_path):
    content = gzip.compress(b"1.0," * 100_000)[:-30]
    entry = public_table[2](content)
    path = tmp_path / "cache" / entry.key
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataUnavailable, match="not a packed table"):
        fetch_higgs_events(10, stand_in=False)
    assert [found.name for found in path.parent.iterdir()] == ["HIGGS.csv.gz"]


def test_the_stand_in_is_announced_and_scaled_like_the_table():
    with pytest.warns(StandInNotice, match="SIMULATED STAND-IN"):
        events = fetch_higgs_events(3000, stand_in=True)
    assert events.features.shape == (3000, 28) and events.provenance == "stand-in"
    for name, column in zip(events.feature_names, events.features.T.astype(float), strict=True):
        if name.endswith(("eta", "phi")):
            assert column.std() == pytest.approx(1, rel=1e-4)
        else:
            assert column.min() >= 0 and column.mean() == pytest.approx(1, rel=1e-4)
    with pytest.warns(StandInNotice):
        test = fetch_higgs_events(100, part="test", stand_in=True)
    assert not np.array_equal(test.features, events.features[:100])


def test_too_many_events_and_another_part_are_named():
    for arguments, message in (
        ({"n_events": 10_500_001}, "at most 10500000"),
        ({"n_events": 500_001, "part": "test"}, "at most 500000"),
        ({"n_events": 0}, "n_events must be"),
        ({"part": "validation"}, "part must be"),
    ):
        with pytest.raises(ValueError, match=message):
            fetch_higgs_events(**arguments)


def test_the_registered_file_is_the_published_one():
    entry = _resolution.registry()["higgs_events/HIGGS.csv.gz"]
    assert entry.n_bytes == 2_816_407_858 and entry.url.endswith("/00280/HIGGS.csv.gz")
