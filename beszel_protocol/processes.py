"""The action `processes`: every process of a host, on request."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from beszel_protocol.hygiene import clean
from beszel_protocol.sample import ProcessCounts, ProcessMetrics

MAX_PROCESSES: Final = 1000
"""In one answer, so that it fits into a frame."""

ProcessOrder: TypeAlias = Literal["cpu", "memory", "io"]


class ProcessesQuery(msgspec.Struct, frozen=True, kw_only=True):
    by: ProcessOrder = "cpu"
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PROCESSES)] = MAX_PROCESSES


class ProcessList(msgspec.Struct, frozen=True, kw_only=True):
    """The first `limit` in the order asked for. Arguments of commands are left out: people put passwords there."""

    counts: ProcessCounts
    processes: list[ProcessMetrics]


def clean_processes(told: ProcessList) -> ProcessList:
    """As a sample is cleaned: texts without control characters, no impossible number, no more than was asked for."""
    return ProcessList(
        counts=clean(told.counts), processes=[clean(process) for process in told.processes[:MAX_PROCESSES]]
    )
