"""What a manager knows of a service, by our names and by systemd's."""

from typing import Any

import msgspec
import pytest

from beszel_protocol.services import ServiceDetail, service_of_properties, service_properties

FULL = ServiceDetail(
    unit="nginx.service", description="a server", load_state="loaded", state="active", sub_state="running",
    enabled="enabled", result="success", file="/etc/systemd/system/nginx.service", group="/system.slice/nginx.service",
    user="www-data", active_since="2026-11-20T00:00:00.000Z", inactive_since="2026-11-19T00:00:00.000Z",
    started_at="2026-11-20T00:00:00.000Z", main_pid=7, exit_status=0, restarts=3, tasks=4, tasks_limit=4915,
    memory_bytes=1 << 20, memory_peak_bytes=1 << 21, memory_limit_bytes=1 << 30, cpu_seconds=1.5,
)  # fmt: skip


def test_every_fact_but_the_name_has_a_property_and_comes_back() -> None:
    properties = service_properties(FULL)
    assert len(properties) == len(ServiceDetail.__struct_fields__) - 1
    assert (properties["MainPID"], properties["CPUUsageNSec"]) == (7, 1_500_000_000)
    assert service_of_properties(properties) == FULL


def test_what_is_not_known_has_no_property() -> None:
    assert service_properties(ServiceDetail(name="nginx")) == {}
    assert service_of_properties({}) == ServiceDetail()


@pytest.mark.parametrize("seconds", [-1.0, 9e9, 1e300, float("inf"), float("nan")])
def test_a_processor_time_that_cannot_be_is_not_told(seconds: float) -> None:
    assert service_properties(ServiceDetail(cpu_seconds=seconds)) == {}


@pytest.mark.parametrize(
    "properties", [{"MainPID": "7"}, {"ActiveState": ["failed"]}, {"CPUUsageNSec": 1.5}, {"CPUUsageNSec": "1"}]
)
def test_properties_of_another_kind_are_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        service_of_properties(properties)
