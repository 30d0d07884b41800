"""The data sets of the course, one function each.

``load_x`` reads a file that comes with the course, ``fetch_x`` downloads and verifies a public file,
``make_x`` simulates. Nothing is read or imported before it is called: the table below says which private
module holds which function, and a new data set is one more line in it.

Examples
--------
>>> from course_lib.data import make_ising
>>> make_ising(4, 2.5, seed=0).shape
(4, 32, 32)
"""

import importlib

_MODULE_OF = {
    "IsingData": "_ising",
    "load_ising": "_ising",
    "make_ising": "_ising",
    "DataUnavailable": "_resolution",
    "StandInNotice": "_resolution",
    "WineQuality": "_wine_quality",
    "fetch_wine_quality": "_wine_quality",
    "make_wine_quality": "_wine_quality",
    "Earthquakes": "_earthquakes",
    "make_earthquakes": "_earthquakes",
    "PlaneClasses": "_plane_classes",
    "make_checkerboard": "_plane_classes",
    "make_two_moons": "_plane_classes",
    "make_circles": "_plane_classes",
    "make_spirals": "_plane_classes",
    "Interpolation": "_interpolation",
    "make_interpolation": "_interpolation",
    "ImageClasses": "_image_classes",
    "LabelledImages": "_image_classes",
    "make_digits": "_image_classes",
    "make_silhouettes": "_image_classes",
    "make_event_pictures": "_image_classes",
    "fetch_mnist": "_image_classes",
    "fetch_fashion_mnist": "_image_classes",
    "fetch_cifar10": "_image_classes",
    "KarateClub": "_karate_club",
    "load_karate_club": "_karate_club",
    "Planing": "_planing",
    "make_planing": "_planing",
    "GasSpeeds": "_maxwell_boltzmann",
    "make_maxwell_boltzmann": "_maxwell_boltzmann",
    "Pendulum": "_mechanics",
    "make_pendulum": "_mechanics",
    "Springs": "_mechanics",
    "make_springs": "_mechanics",
    "LennardJones": "_mechanics",
    "make_lennard_jones": "_mechanics",
    "SineWaves": "_time_series",
    "make_sine_waves": "_time_series",
    "RadioPulses": "_time_series",
    "make_radio_pulses": "_time_series",
    "MagnetCurrents": "_time_series",
    "make_magnet_currents": "_time_series",
    "CrackGrowth": "_time_series",
    "make_crack_growth": "_time_series",
    "PhaseFeatures": "_phase_features",
    "load_phase_features": "_phase_features",
    "SeismicRecords": "_earthquakes",
    "make_seismic_records": "_earthquakes",
    "AirShowers": "_air_showers",
    "make_air_showers": "_air_showers",
    "ShowerTraces": "_air_showers",
    "make_shower_traces": "_air_showers",
    "ArrivalDirections": "_arrival_directions",
    "make_arrival_directions": "_arrival_directions",
    "Jets": "_jets",
    "make_jets": "_jets",
    "HiggsEvents": "_higgs_events",
    "make_higgs_events": "_higgs_events",
    "fetch_higgs_events": "_higgs_events",
    "CalorimeterShowers": "_calorimeter",
    "make_calorimeter": "_calorimeter",
    "Speckle": "_speckle",
    "make_speckle": "_speckle",
    "DayaBay": "_daya_bay",
    "make_daya_bay": "_daya_bay",
    "GravitationalWaves": "_gravitational_waves",
    "make_gravitational_waves": "_gravitational_waves",
    "Palindromes": "_palindromes",
    "make_palindromes": "_palindromes",
    "Occupancies": "_occupancies",
    "make_occupancies": "_occupancies",
    "Galaxies": "_galaxies",
    "make_galaxies": "_galaxies",
    "LensingMaps": "_lensing_maps",
    "make_lensing_maps": "_lensing_maps",
    "NeutrinoViews": "_neutrino_views",
    "make_neutrino_views": "_neutrino_views",
    "ThreeJets": "_three_jets",
    "make_three_jets": "_three_jets",
    "Craters": "_craters",
    "make_craters": "_craters",
    "CraterTiles": "_craters",
    "make_crater_tiles": "_craters",
    "DoubleBeta": "_double_beta",
    "make_double_beta": "_double_beta",
    "student_name": "_student",
    "student_seed": "_student",
}

__all__ = list(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(set(globals()) | set(_MODULE_OF))
