"""Whole programs of others: one number of each as a function of a few."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import adopt

from .documented import quiet
from .judging import Outcome, judged, said

# Two lines of orbital elements, as satellite catalogues write them (an example of the format).
ISS = ("1 25544U 98067A   19343.69339541  .00001764  00000-0  38792-4 0  9991",
       "2 25544  51.6439 211.2001 0007417  17.6667  85.6398 15.50103472202482")


def _sgp4(sgp4: Any) -> Callable[[list[Any]], Any]:
    """A satellite's distance from a point, by minutes, inclination, eccentricity and anomaly."""
    def distance(numbers: list[Any]) -> Any:
        satellite = sgp4.model.Satrec.twoline2rv(*ISS)
        minutes, inclination, eccentricity, anomaly = numbers
        satellite.sgp4init(
            sgp4.model.WGS72, "i", satellite.satnum, 25545.69339541, satellite.bstar,
            0.0, 0.0, eccentricity, satellite.argpo, inclination, anomaly, satellite.no_kozai,
            satellite.nodeo)
        _, place, _ = satellite.sgp4_tsince(minutes)
        return place[0] + 2.0 * place[1] + 3.0 * place[2]

    return distance


def _steam(chemicals: Any) -> Callable[[list[Any]], Any]:
    """The density of water by IAPWS-95, from temperature and pressure."""
    return lambda numbers: chemicals.iapws.iapws95_rho(*numbers)


def _steam_tables(iapws: Any) -> Callable[[list[Any]], Any]:
    """The enthalpy of water in region 1 of IAPWS-97, from temperature and pressure (MPa)."""
    return lambda numbers: iapws.iapws97._Region1(*numbers)["h"]


def _sun(pvlib: Any) -> Callable[[list[Any]], Any]:
    """The plane-of-array irradiance, from tilt, azimuths and irradiances."""
    def total(numbers: list[Any]) -> Any:
        tilt, azimuth, zenith, sun, direct, diffuse = numbers
        beam = pvlib.irradiance.beam_component(tilt, azimuth, zenith, sun, direct)
        return beam + pvlib.irradiance.isotropic(tilt, diffuse)

    return total


def _cell(pvlib: Any) -> Callable[[list[Any]], Any]:
    """The temperature of a solar cell, by Sandia's model."""
    return lambda numbers: pvlib.temperature.sapm_cell(*numbers)


def _steam_region(name: str) -> Callable[[Any], Callable[[list[Any]], Any]]:
    """A property of water in one of the other regions of IAPWS-97."""
    region, _, item = name.partition(".")
    return lambda iapws: lambda numbers: getattr(iapws.iapws97, region)(*numbers)[item]


def _saturation(iapws: Any) -> Callable[[list[Any]], Any]:
    """The saturation pressure of water, and the temperature of another pressure."""
    return lambda numbers: iapws.iapws97._PSat_T(numbers[0]) + iapws.iapws97._TSat_P(numbers[1])


def _far_satellite(sgp4: Any) -> Callable[[list[Any]], Any]:
    """The same as _sgp4 of a satellite with a period of half a day, which moon and sun pull."""
    def distance(numbers: list[Any]) -> Any:
        minutes, inclination, eccentricity, anomaly, motion = numbers
        satellite = sgp4.model.Satrec()
        satellite.sgp4init(sgp4.model.WGS72, "i", 5, 25545.69339541, 2.8e-5, 0.0, 0.0,
                           eccentricity, 5.79, inclination, anomaly, motion, 6.08)
        _, place, speed = satellite.sgp4_tsince(minutes)
        return place[0] + 2.0 * place[1] + 3.0 * place[2] + 1000.0 * speed[1]

    return distance


def _diode(pvlib: Any) -> Callable[[list[Any]], Any]:
    """The current of a solar cell at a voltage, by its five parameters (Bishop's equations)."""
    def current(numbers: list[Any]) -> Any:
        found = pvlib.singlediode.bishop88(*numbers)
        return found[0] + 2.0 * found[1]

    return current


def _incidence(pvlib: Any) -> Callable[[list[Any]], Any]:
    """What the glass of a panel lets through, by two models."""
    return lambda numbers: (pvlib.iam.physical(numbers[0], numbers[1], numbers[2], numbers[3])
                            + pvlib.iam.ashrae(numbers[0], numbers[4]))


def _air(pvlib: Any) -> Callable[[list[Any]], Any]:
    """Air mass by the sun's zenith, pressure by altitude."""
    return lambda numbers: pvlib.atmosphere.get_absolute_airmass(
        pvlib.atmosphere.get_relative_airmass(numbers[0]),
        pvlib.atmosphere.alt2pres(numbers[1]))


def _kalman(filterpy: Any) -> Callable[[list[Any]], Any]:
    """The log-likelihood of six measurements, by the noises, the step and the first one."""
    def likelihood(numbers: list[Any]) -> Any:
        process, noise, step, first = numbers
        model = filterpy.kalman.KalmanFilter(dim_x=2, dim_z=1)
        model.F = np.array([[1.0, step], [0.0, 1.0]])
        model.H = np.array([[1.0, 0.0]])
        model.R = np.array([[noise]])
        model.Q = filterpy.common.Q_discrete_white_noise(dim=2, dt=step, var=process)
        total = 0.0
        for measured in (first, 1.1, 1.9, 3.2, 3.9, 5.1):
            model.predict()
            model.update(measured)
            total = total + model.log_likelihood
        return total

    return likelihood


def _sigma_points(filterpy: Any) -> Callable[[list[Any]], Any]:
    """What an unscented filter makes of three distances to a place of two coordinates."""
    def place(numbers: list[Any]) -> Any:
        process, noise, x, y = numbers
        points = filterpy.kalman.MerweScaledSigmaPoints(2, alpha=0.5, beta=2.0, kappa=1.0)
        model = filterpy.kalman.UnscentedKalmanFilter(
            dim_x=2, dim_z=1, dt=1.0, points=points, fx=lambda state, dt: state,
            hx=lambda state: np.array([(state[0] ** 2 + state[1] ** 2) ** 0.5]))
        model.x = np.array([x, y])
        model.Q = np.array([[process, 0.0], [0.0, process]])
        model.R = np.array([[noise]])
        for distance in (2.0, 2.1, 2.3):
            model.predict()
            model.update(np.array([distance]))
        return model.x[0] + 2.0 * model.x[1]

    return place


def _geodesic(geographiclib: Any) -> Callable[[list[Any]], Any]:
    """The length of a geodesic between two places."""
    return lambda numbers: geographiclib.geodesic.Geodesic.WGS84.Inverse(*numbers)["s12"]


def _along(geographiclib: Any) -> Callable[[list[Any]], Any]:
    """Where a geodesic leads."""
    def end(numbers: list[Any]) -> Any:
        found = geographiclib.geodesic.Geodesic.WGS84.Direct(*numbers)
        return found["lat2"] + 2.0 * found["lon2"]

    return end


def _vincenty(pymap3d: Any) -> Callable[[list[Any]], Any]:
    """The length of a geodesic by Vincenty's iteration."""
    return lambda numbers: pymap3d.vincenty.vdist(*numbers)[0]


def _to_space(pymap3d: Any) -> Callable[[list[Any]], Any]:
    """A place on earth in Cartesian coordinates."""
    def place(numbers: list[Any]) -> Any:
        x, y, z = pymap3d.ecef.geodetic2ecef(*numbers)
        return x + 2.0 * y + 3.0 * z

    return place


def _to_earth(pymap3d: Any) -> Callable[[list[Any]], Any]:
    """Cartesian coordinates as latitude, longitude and altitude."""
    def place(numbers: list[Any]) -> Any:
        latitude, longitude, altitude = pymap3d.ecef.ecef2geodetic(*numbers)
        return latitude + 2.0 * longitude + 1e-3 * altitude

    return place


def _day(astral: Any) -> Callable[[list[Any]], Any]:
    """The equation of time and the sun's declination, by the century."""
    return lambda numbers: (astral.sun.eq_of_time(numbers[0])
                            + astral.sun.sun_declination(numbers[0]))


# Of each program its module, what else is adopted, the function and a point.
PROGRAMS: dict[str, tuple[str, tuple[str, ...], Callable[[Any], Any], list[float]]] = {
    "SGP4, a satellite's place": ("sgp4.model", ("sgp4",), _sgp4, [360.0, 0.9, 0.0007417, 1.49]),
    "IAPWS-95 in chemicals": ("chemicals.iapws", ("fluids",), _steam, [300.0, 1e6]),
    "IAPWS-97 in iapws": ("iapws.iapws97", (), _steam_tables, [300.0, 3.0]),
    "irradiance in pvlib": ("pvlib.irradiance", (), _sun, [30.0, 170.0, 40.0, 190.0, 800.0, 100.0]),
    "cell temperature in pvlib": ("pvlib.temperature", (), _cell,
                                  [900.0, 20.0, 3.0, -3.56, -0.075, 3.0]),
    "SGP4, far from earth": ("sgp4.model", ("sgp4",), _far_satellite,
                             [360.0, 0.9, 0.3, 1.49, 0.00875]),
    "IAPWS-97, region 2": ("iapws.iapws97", (), _steam_region("_Region2.h"), [700.0, 3.0]),
    "IAPWS-97, region 3": ("iapws.iapws97", (), _steam_region("_Region3.h"), [500.0, 650.0]),
    "IAPWS-97, region 5": ("iapws.iapws97", (), _steam_region("_Region5.s"), [1500.0, 3.0]),
    "IAPWS-97, saturation": ("iapws.iapws97", (), _saturation, [450.0, 2.0]),
    "a diode in pvlib": ("pvlib.singlediode", (), _diode, [0.4, 7.0, 1e-9, 0.1, 200.0, 1.5]),
    "glass in pvlib": ("pvlib.iam", (), _incidence, [40.0, 1.526, 4.0, 0.002, 0.05]),
    "air mass in pvlib": ("pvlib.atmosphere", (), _air, [40.0, 300.0]),
    "a Kalman filter in filterpy": ("filterpy.kalman", (), _kalman, [0.1, 0.5, 1.2, 0.3]),
    "an unscented filter in filterpy": ("filterpy.kalman", (), _sigma_points,
                                        [0.1, 0.2, 1.0, 1.5]),
    "a geodesic in geographiclib": ("geographiclib.geodesic", (), _geodesic,
                                    [40.6, -73.8, 51.6, -0.5]),
    "along a geodesic in geographiclib": ("geographiclib.geodesic", (), _along,
                                          [40.6, -73.8, 53.5, 5.5e6]),
    "Vincenty in pymap3d": ("pymap3d.vincenty", (), _vincenty, [40.6, 10.8, 51.6, 20.5]),
    "to ECEF in pymap3d": ("pymap3d.ecef", (), _to_space, [42.0, -82.0, 200.0]),
    "from ECEF in pymap3d": ("pymap3d.ecef", (), _to_earth, [660e3, -4700e3, 4247e3]),
    "the sun in astral": ("astral.sun", (), _day, [0.19]),
}


def outcomes() -> Iterator[Outcome]:
    """What comes of each program; of one whose package is not there, that."""
    for name, (module, also, made, point) in PROGRAMS.items():
        root = module.partition(".")[0]
        try:
            with quiet():
                importlib.import_module(module)
                plain = importlib.import_module(root)
                adopt(module, also=also)
                ours = adopt(root, also=also)
        except Exception as error:
            yield Outcome(name, "refused", f"adopt: {said(error)}")
            continue
        with quiet():
            outcome = judged(name, made(plain), made(ours), point)
        yield outcome
