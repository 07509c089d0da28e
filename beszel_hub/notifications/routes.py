"""Trying a channel or the heartbeat out, and how both and the hub's jobs are."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.errors import BadRequest, Forbidden
from beszel_hub.notifications.failures import DeliveryFailed
from beszel_hub.notifications.service import Notifications
from beszel_hub.notifications.settings_view import marked_channel
from beszel_hub.permissions import require
from beszel_hub.records.response import JsonResponse

NO_HEARTBEAT: Final = "Set HEARTBEAT_URL to enable the heartbeat."


class _Test(msgspec.Struct, frozen=True):
    """Either; a mark of a channel, as user settings have them, counts as that channel."""

    url: str = ""
    channel: str = ""


async def test_notification(request: Request) -> Response:
    """Send a message now: `err` is false once it was taken, else the reason."""
    actor = require(request.state.actor, Action.TEST_NOTIFICATION)
    if actor.system_ids is not None:
        raise Forbidden  # whoever cannot make a channel has none to try
    try:
        test = msgspec.json.decode(await request.body(), type=_Test)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest from error
    channel_id = test.channel or marked_channel(test.url)
    if not channel_id and not test.url:
        raise BadRequest("Name a url or a channel.")
    reason = await _notifications(request).desk.test(actor, url=test.url, channel_id=channel_id)
    return JsonResponse({"err": False if reason is None else reason})


async def heartbeat_status(request: Request) -> Response:
    """Of the URL only its host, since the rest is what lets others pose as this hub."""
    require(request.state.actor, Action.HEARTBEAT_STATUS)
    heartbeat = _notifications(request).heartbeat
    if heartbeat is None:
        return JsonResponse({"enabled": False, "msg": NO_HEARTBEAT})
    answer: dict[str, Any] = {
        "enabled": True, "url": heartbeat.host, "interval": heartbeat.interval_seconds, "method": heartbeat.method,
        "last_sent": heartbeat.last_sent_ms, "last_error": heartbeat.last_error,
    }  # fmt: skip
    return JsonResponse(answer)


async def test_heartbeat(request: Request) -> Response:
    """Send one now: `err` is false once it was taken, else the reason."""
    require(request.state.actor, Action.TEST_HEARTBEAT)
    heartbeat = _notifications(request).heartbeat
    if heartbeat is None:
        return JsonResponse({"err": NO_HEARTBEAT})
    try:
        await heartbeat.send()
    except DeliveryFailed as failure:
        return JsonResponse({"err": failure.reason})
    return JsonResponse({"err": False})


async def list_jobs(request: Request) -> Response:
    """What the hub does by itself, and whether it went well the last time."""
    require(request.state.actor, Action.JOBS)
    return JsonResponse({"items": [msgspec.structs.asdict(report) for report in request.app.state.jobs.reports()]})


def _notifications(request: Request) -> Notifications:
    notifications: Notifications = request.app.state.notifications
    return notifications


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/test-notification", test_notification, methods=["POST"]),
    Route("/api/beszel/heartbeat-status", heartbeat_status, methods=["GET"]),
    Route("/api/beszel/test-heartbeat", test_heartbeat, methods=["POST"]),
    Route("/api/beszel/jobs", list_jobs, methods=["GET"]),
)
