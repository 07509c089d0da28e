"""Rows for the routes of `metrics`."""

from tests.support.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
