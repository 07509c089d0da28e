"""The processes of a host at this moment."""

from typing import Final

from beszel_protocol.processes import ProcessList, ProcessOrder, clean_processes
from beszel_tui.client.http import HubHttp

_PROCESSES: Final = "/api/beszel/processes"


async def read_processes(http: HubHttp, system_id: str, by: ProcessOrder) -> ProcessList:
    """Raise `ClientError`. The hub is not believed to have taken out what a terminal obeys."""
    return clean_processes(await http.read(ProcessList, _PROCESSES, {"system": system_id, "by": by}))
