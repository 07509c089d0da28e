"""Lines that help whoever is woken up: what kept the machine busy when an alert fired. Pure."""

from typing import Final

from beszel_hub.alerts.transition import Transition
from beszel_protocol.sample import Metrics, ProcessMetrics

MAX_PROCESSES: Final = 3
_BUSY: Final = ("cpu.", "load_per_core_")
_FULL: Final = ("memory.", "swap_percent")
"""Beginnings of targets."""


def facts_of(transition: Transition, metrics: Metrics) -> list[str]:
    """The busiest processes, for alerts that they can be the cause of; nothing for all others."""
    if transition.kind != "fired" or not metrics.top_processes:
        return []
    if transition.target.startswith(_FULL):
        return [_memory_line(process) for process in _top(metrics.top_processes, "memory_bytes")]
    if transition.target.startswith(_BUSY):
        return [_cpu_line(process) for process in _top(metrics.top_processes, "cpu_percent")]
    return []


def _top(processes: list[ProcessMetrics], field: str) -> list[ProcessMetrics]:
    known = [process for process in processes if getattr(process, field) is not None]
    return sorted(known, key=lambda process: getattr(process, field), reverse=True)[:MAX_PROCESSES]


def _cpu_line(process: ProcessMetrics) -> str:
    return f"{process.name} ({process.pid}): {process.cpu_percent:.1f} % CPU"


def _memory_line(process: ProcessMetrics) -> str:
    return f"{process.name} ({process.pid}): {(process.memory_bytes or 0) / 2**20:.0f} MiB"
