"""Whole programs of others: one number of each as a function of a few."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

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


# Of each program its module, what else is adopted, the function and a point.
PROGRAMS: dict[str, tuple[str, tuple[str, ...], Callable[[Any], Any], list[float]]] = {
    "SGP4, a satellite's place": ("sgp4.model", ("sgp4",), _sgp4, [360.0, 0.9, 0.0007417, 1.49]),
    "IAPWS-95 in chemicals": ("chemicals.iapws", ("fluids",), _steam, [300.0, 1e6]),
    "IAPWS-97 in iapws": ("iapws.iapws97", (), _steam_tables, [300.0, 3.0]),
    "irradiance in pvlib": ("pvlib.irradiance", (), _sun, [30.0, 170.0, 40.0, 190.0, 800.0, 100.0]),
    "cell temperature in pvlib": ("pvlib.temperature", (), _cell,
                                  [900.0, 20.0, 3.0, -3.56, -0.075, 3.0]),
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
