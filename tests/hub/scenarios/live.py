"""Rows for the routes of `live`."""

from tests.support.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
