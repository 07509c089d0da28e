"""Disks and services: what members of a system see, and may remove."""

from tests.support.scenario import ABSENT, CLOSED, EMPTY, RECORD, RECORDS, UNAUTHENTICATED, Answer, Scenario, expect

_DISKS = "/api/collections/smart_devices/records"
_SERVICES = "/api/collections/systemd_services/records"

_DISK_OF_UMA = Answer(status=200, shows=("disk-of-uma-web", '"totalItems":1'), hides=("otto",))
_DISK_OF_OTTO = Answer(status=200, shows=("disk-of-otto-db", '"totalItems":1'), hides=("of-uma",))
_BOTH_DISKS = Answer(status=200, shows=("disk-of-uma-web", "disk-of-otto-db"))
_SERVICE_OF_UMA = Answer(status=200, shows=("service-of-uma-web", '"state":2,"sub":3'), hides=("otto",))
_SERVICE_OF_OTTO = Answer(status=200, shows=("service-of-otto-db",), hides=("of-uma",))
_BOTH_SERVICES = Answer(status=200, shows=("service-of-uma-web", "service-of-otto-db"))
_VIEWED = Answer(status=200, shows=("disk-of-uma-web", '"state":"PASSED"'), hides=("otto",))
_GONE = Answer(status=204)
_SERVICE = "/api/beszel/systemd/info"
_PROCESSES = "/api/beszel/processes"
_REFRESH = "/api/beszel/smart/refresh"
_NOT_CONNECTED = Answer(status=503, shows=("The agent of this system is not connected.",), hides=("otto",))
_FORBIDDEN = Answer(status=403, shows=('"status":403',))

SCENARIOS = (
    Scenario(
        name="list disks", route=RECORDS, method="GET", path=_DISKS,
        expect=expect(
            _DISK_OF_UMA, anonymous=EMPTY, garbage=EMPTY, expired=EMPTY, other=_DISK_OF_OTTO, admin=_BOTH_DISKS,
            superuser=_BOTH_DISKS,
        ),
    ),
    Scenario(
        name="view a disk", route=RECORD, method="GET", path=f"{_DISKS}/{{uma_disk}}",
        expect=expect(_VIEWED, anonymous=ABSENT, garbage=ABSENT, expired=ABSENT, other=ABSENT),
    ),
    Scenario(
        name="create a disk", route=RECORDS, method="POST", path=_DISKS, body={"name": "sdb"}, expect=expect(CLOSED)
    ),
    Scenario(
        name="call a disk well", route=RECORD, method="PATCH", path=f"{_DISKS}/{{uma_disk}}", body={"state": "PASSED"},
        expect=expect(CLOSED),
    ),
    Scenario(
        name="remove a disk", route=RECORD, method="DELETE", path=f"{_DISKS}/{{uma_disk}}",
        expect=expect(
            ABSENT, user=_GONE, write_token=_GONE, limited_token=_GONE, admin=_GONE, superuser=_GONE,
        ),
    ),
    Scenario(
        name="remove somebody else's disk", route=RECORD, method="DELETE", path=f"{_DISKS}/{{otto_disk}}",
        expect=expect(ABSENT, other=_GONE, admin=_GONE, superuser=_GONE),
    ),
    Scenario(
        name="list services", route=RECORDS, method="GET", path=_SERVICES,
        expect=expect(
            _SERVICE_OF_UMA, anonymous=EMPTY, garbage=EMPTY, expired=EMPTY, other=_SERVICE_OF_OTTO,
            admin=_BOTH_SERVICES, superuser=_BOTH_SERVICES,
        ),
    ),
    *(
        Scenario(
            name=f"{method} a service", route=RECORD, method=method, path=f"{_SERVICES}/{{uma_service}}",
            body=body, expect=expect(CLOSED),
        )
        for method, body in (("GET", None), ("PATCH", {"state": 0}), ("DELETE", None))
    ),
    Scenario(
        name="ask about a service", route=_SERVICE, method="GET",
        path=f"{_SERVICE}?system={{uma_web}}&service=service-of-uma-web",
        expect=expect(
            _NOT_CONNECTED, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, other=ABSENT,
        ),
    ),
    Scenario(
        name="ask about a service that is elsewhere", route=_SERVICE, method="GET",
        path=f"{_SERVICE}?system={{uma_web}}&service=service-of-otto-db",
        expect=expect(
            ABSENT, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED,
        ),
    ),
    Scenario(
        name="look at processes", route=_PROCESSES, method="GET", path=f"{_PROCESSES}?system={{uma_web}}&by=memory",
        expect=expect(
            _NOT_CONNECTED, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, other=ABSENT,
        ),
    ),
    Scenario(
        name="read disks now", route=_REFRESH, method="POST", path=f"{_REFRESH}?system={{uma_web}}",
        expect=expect(
            _NOT_CONNECTED, anonymous=UNAUTHENTICATED, garbage=UNAUTHENTICATED, expired=UNAUTHENTICATED, other=ABSENT,
            readonly=_FORBIDDEN, read_token=_FORBIDDEN,
        ),
    ),
    Scenario(
        name="create a service", route=RECORDS, method="POST", path=_SERVICES, body={"name": "x"}, expect=expect(CLOSED)
    ),
)  # fmt: skip
