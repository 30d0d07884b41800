"""White wines: the real table, and the stand-in against published numbers of the real one."""

from pathlib import Path

import numpy as np
import pytest

from course_lib.data import StandInNotice, _resolution, fetch_wine_quality, make_wine_quality

REAL_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"

# Means and standard deviations of the real columns as the syllabus prints them.
MEANS = [6.85, 0.278, 0.334, 6.39, 0.0458, 35.3, 138, 0.9940, 3.19, 0.490, 10.51]
DEVIATIONS = [0.84, 0.101, 0.121, 5.07, 0.0218, 17.0, 42.5, 0.0030, 0.151, 0.114, 1.23]
MARK_COUNTS = np.array([20, 163, 1457, 2198, 880, 175, 5])


@pytest.fixture(scope="module")
def many():
    return make_wine_quality(200_000, seed=3)


def test_real_table_through_the_administrators_folder(monkeypatch, tmp_path):
    """With the real file the loader returns it; without, it announces the stand-in."""
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setenv("COURSE_DATA_DIR", str(REAL_FOLDER))
    monkeypatch.setattr(_resolution, "cache_folder", lambda: tmp_path)
    if not (REAL_FOLDER / "winequality-white.csv").is_file():
        with pytest.warns(StandInNotice):
            wines = fetch_wine_quality()
        assert wines.provenance == "stand-in" and wines.features.shape == (4898, 11)
        return
    wines = fetch_wine_quality(stand_in=False)
    assert wines.provenance == "real"
    assert np.bincount(wines.quality)[3:].tolist() == MARK_COUNTS.tolist()
    assert len(np.unique(np.column_stack([wines.features, wines.quality]), axis=0)) == 3961
    assert np.allclose(wines.features.mean(0), MEANS, rtol=5e-3)


def test_a_table_of_the_wrong_size_is_refused(tmp_path):
    from course_lib.data import _wine_quality

    path = tmp_path / "w.csv"
    path.write_text('"a";"b"\n1;2\n3;x\n')
    with pytest.raises(_resolution.DataUnavailable, match="4898 x 12"):
        _wine_quality._read(path)


def test_stand_in_has_the_published_moments(many):
    deviation = np.array(DEVIATIONS)
    assert np.all(np.abs(many.features.mean(0) - MEANS) < 0.07 * deviation)
    ratio = many.features.std(0) / deviation
    assert ratio.min() > 0.93 and ratio.max() < 1.08


def test_stand_in_marks_are_as_frequent_as_the_real_ones(many):
    expected = MARK_COUNTS / MARK_COUNTS.sum()
    found = np.bincount(many.quality, minlength=10)[3:] / len(many.quality)
    # The boundaries are rounded to three digits; 5 standard errors plus that.
    assert np.all(np.abs(found - expected) < 5 * np.sqrt(expected / len(many.quality)) + 1e-3)


def test_stand_in_has_the_published_correlations(many):
    names = many.feature_names
    table = np.column_stack([many.features, many.quality])
    correlations = np.corrcoef(table.T)
    with_quality = dict(zip(names, correlations[11, :11], strict=True))
    published = {"alcohol": 0.431, "density": -0.301, "chlorides": -0.210, "volatile acidity": -0.187, "pH": 0.106}
    for name, value in published.items():  # published for one random 3000 of the wines: error 0.018
        assert abs(with_quality[name] - value) < 0.04, name
    assert max(with_quality, key=lambda name: abs(with_quality[name])) == "alcohol"
    density, sugar, alcohol = (names.index(name) for name in ("density", "residual sugar", "alcohol"))
    assert abs(correlations[alcohol, density] + 0.78) < 0.04
    assert abs(correlations[sugar, density] - 0.84) < 0.04


def test_a_linear_fit_does_as_well_as_on_the_real_wines(many):
    """Syllabus, 30 random splits of the real table: r 0.505-0.547, mean squared error 0.54-0.63."""
    design = np.column_stack([many.features, np.ones(len(many.quality))])
    weights = np.linalg.lstsq(design[:100_000], many.quality[:100_000], rcond=None)[0]
    prediction = design[100_000:] @ weights
    truth = many.quality[100_000:]
    assert 0.49 < np.corrcoef(prediction, truth)[0, 1] < 0.56
    assert 0.53 < np.mean((prediction - truth) ** 2) < 0.63
