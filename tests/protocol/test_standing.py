from beszel_protocol.sample import (
    CheckMetrics,
    CpuMetrics,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from beszel_protocol.standing import CHECK_LIFE_MS, LIFE_MS, Standing
from beszel_protocol.storage import SmartMetrics

SELDOM = Metrics(
    smart={"S1": SmartMetrics(severity=0)},
    checks={"site": CheckMetrics(up=1)},
    top_processes=[ProcessMetrics(pid=1, name="init")],
    services=ServiceMetrics(total=2, failed=0, units={"ssh": ServiceUnitMetrics(state="active")}),
    processes=ProcessCounts(running=2, total=300),
)
OFTEN = Metrics(
    cpu=CpuMetrics(usage_percent=5.0), services=ServiceMetrics(total=2, failed=1), processes=ProcessCounts(running=7)
)


def test_what_is_told_seldom_stands_beside_what_is_told_often() -> None:
    whole = Standing().after(0, SELDOM).after(1000, OFTEN).beside(OFTEN)
    assert whole.cpu == OFTEN.cpu
    assert whole.smart == SELDOM.smart
    assert whole.checks == SELDOM.checks
    assert whole.top_processes == SELDOM.top_processes
    assert whole.services is not None
    assert SELDOM.services is not None
    assert (whole.services.failed, whole.services.units) == (1, SELDOM.services.units)
    assert whole.processes == ProcessCounts(running=7, total=300)


def test_each_key_is_told_at_its_own_time() -> None:
    second = Metrics(smart={"S2": SmartMetrics(severity=2)}, checks={"site": CheckMetrics(up=0)})
    standing = Standing().after(0, SELDOM).after(5000, second)
    whole = standing.beside(OFTEN)
    assert list(whole.smart or ()) == ["S1", "S2"]
    assert whole.checks == second.checks
    assert (standing.told_ms("smart", "S1"), standing.told_ms("checks", "site")) == (0, 5000)
    assert standing.told_ms("smart", "S3") is None


def test_what_is_not_told_again_is_forgotten() -> None:
    standing = Standing().after(0, SELDOM)
    assert standing.after(LIFE_MS, OFTEN).beside(OFTEN).smart is not None
    later = standing.after(LIFE_MS + 1, OFTEN).beside(OFTEN)
    assert (later.smart, later.top_processes) == (None, None)
    assert later.checks is not None
    assert standing.after(round(CHECK_LIFE_MS) + 1, OFTEN).beside(OFTEN) == OFTEN


def test_nothing_stands_beside_nothing() -> None:
    assert Standing().beside(OFTEN) is OFTEN
    standing = Standing().after(0, SELDOM)
    assert standing.after(1000, OFTEN) is standing
