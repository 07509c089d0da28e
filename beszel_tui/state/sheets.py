"""Every kind of table that a system has tabs for."""

from typing import Final

from beszel_tui.state.checks import CHECKS
from beszel_tui.state.gpus import GPUS
from beszel_tui.state.health import HEALTH
from beszel_tui.state.processes import PROCESSES
from beszel_tui.state.sensors import SENSORS
from beszel_tui.state.services import SERVICES
from beszel_tui.state.sheet import Sheet

SHEETS: Final[tuple[Sheet, ...]] = (CHECKS, GPUS, HEALTH, PROCESSES, SENSORS, SERVICES)
BY_KEY: Final = {sheet.key: sheet for sheet in SHEETS}
