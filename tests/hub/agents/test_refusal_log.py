import logging

import pytest

from beszel_hub.agents.refusals import BURST, RefusalLog
from beszel_protocol.handshake import AgentRefused

REFUSAL = AgentRefused("unknown_token", "this hub knows no such token")


def test_few_refusals_are_all_listed_and_many_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    refusals = RefusalLog()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            refusals.note("192.0.2.1", REFUSAL, 100.0)
        assert len(caplog.records) == BURST
        refusals.note("192.0.2.1", REFUSAL, 104.0)
    assert len(caplog.records) == BURST + 1
    assert f"and {1000 - BURST} more" in caplog.text
    assert "unknown_token" in caplog.records[0].getMessage()
