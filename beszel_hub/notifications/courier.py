"""Hands one message to Apprise: `python -m beszel_hub.notifications.courier` reads a `Parcel` and writes a `Receipt`.

A process of its own, since Apprise takes half a second and 50 MB to load, a thread cannot be ended when a service never
answers, and a process can be shut off from private networks and from files.
"""

import logging
import re
import sys
from typing import Any, Final

import msgspec

from beszel_hub.notifications.egress import FORBIDDEN, PRIVATE, Policy
from beszel_hub.notifications.message import KEY_HEADER
from beszel_hub.notifications.sandbox import Sandbox
from beszel_protocol.reach import Reach

LOCAL_SCHEMAS: Final = frozenset({
    "blink1", "dbus", "deltachat", "deltachats", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows",
})  # fmt: skip
"""Services of the very machine that the hub runs on, which are nobody's channel."""
_STATUS: Final = re.compile(r"error=(\d{3})\b", re.ASCII)
_LASTING_STATUSES: Final = range(400, 500)
_PASSING_STATUSES: Final = frozenset({408, 425, 429})


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one delivery depends on; the URL goes through a pipe, never through arguments."""

    url: str
    key: str
    title: str
    text: str
    notify_type: str
    """Apprise's own: `info`, `warning`, `failure`, `success`."""
    policy: Policy
    is_trial: bool = False
    """Only look whether the URL is one of a service; nothing is sent."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is made here: what a service answers may hold anything and is not passed on."""

    is_sent: bool = False
    reason: str = ""
    is_lasting: bool = False
    is_refused: bool = False


class _Statuses(logging.Handler):
    """Reads the HTTP statuses off what Apprise logs, and forgets the rest."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        match = _STATUS.search(record.getMessage())
        if match is not None:
            self.seen.append(int(match[1]))


def deliver(parcel: Parcel) -> Receipt:
    """Shuts this process off, so it is the last thing that the process does."""
    import apprise  # noqa: PLC0415 - heavy

    statuses = _Statuses()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [statuses], False
    logger.setLevel(logging.WARNING)
    sandbox = Sandbox(parcel.policy)
    sandbox.enter()
    service = _open_service(apprise, parcel)
    if service is None:
        return Receipt(reason="it is no URL of a service that is known here", is_lasting=True, is_refused=True)
    if parcel.is_trial:
        return Receipt(is_sent=True)
    is_sent = service.notify(
        body=parcel.text,
        title=parcel.title,
        notify_type=apprise.NotifyType(parcel.notify_type),
        body_format=apprise.NotifyFormat.TEXT,
    )
    return Receipt(is_sent=True) if is_sent else _explain(sandbox, statuses)


def _open_service(apprise: Any, parcel: Parcel) -> Any:
    """A service whose redirects are not followed, or None."""
    if parcel.url.partition(":")[0].lower() in LOCAL_SCHEMAS:
        return None
    import requests  # noqa: PLC0415 - heavy

    # Wherever a service leaves the default, a redirect is an answer like any other that is no success.
    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]
    asset = apprise.AppriseAsset(app_id="beszel-suite", storage_mode="memory", allow_templates=False)
    asset.http_redirects = False
    service = apprise.Apprise.instantiate(parcel.url, asset=asset)
    if service is None or getattr(service, "enabled", False) is not True:
        return None
    service.redirects = False
    if isinstance(getattr(service, "headers", None), dict):
        service.headers[KEY_HEADER] = parcel.key
    return service


def _explain(sandbox: Sandbox, statuses: _Statuses) -> Receipt:
    if sandbox.refusals:
        reason = PRIVATE if min(sandbox.refusals) is Reach.PRIVATE else FORBIDDEN
        return Receipt(reason=reason, is_lasting=True, is_refused=True)
    if not statuses.seen:
        return Receipt(reason="the service could not be reached, or did not take it")
    status = statuses.seen[-1]
    is_lasting = status in _LASTING_STATUSES and status not in _PASSING_STATUSES
    return Receipt(reason=f"the service answers HTTP {status}", is_lasting=is_lasting)


def main() -> None:
    """One message, then the end."""
    parcel = msgspec.json.decode(sys.stdin.buffer.read(), type=Parcel)
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a service prints must not end up in the answer
    try:
        receipt = deliver(parcel)
    except Exception as error:  # noqa: BLE001 - a service of Apprise may raise anything
        receipt = Receipt(reason=f"the service failed here ({type(error).__name__})")
    output.write(msgspec.json.encode(receipt))
    output.flush()


if __name__ == "__main__":
    main()
