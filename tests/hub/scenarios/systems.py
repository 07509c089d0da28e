"""Rows for the routes of `systems`."""

from tests.support.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
