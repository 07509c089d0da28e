"""`/api/beszel/user-alerts` as Beszel's clients call it, acknowledging, and what can be watched."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.alerts.presets import MAX_MINUTES, PRESETS
from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.targets import watchable
from beszel_hub.errors import BadRequest, Forbidden, NotFound, Unauthorized, invalid_field
from beszel_hub.permissions import Action, Actor, Decision, decide
from beszel_hub.records.response import JsonResponse, read_object

MAX_SYSTEMS: Final = 1000


class UserAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `user-alerts`."""

    name: str
    systems: list[str]
    value: float = 0.0
    min: float = 0.0
    overwrite: bool = False


async def put_user_alerts(request: Request) -> Response:
    actor = _require(request, Action.USER_ALERTS)
    body = await _read_user_alerts(request)
    count = await _alerts(request).put_presets(
        actor, body.name, body.systems, body.value, int(body.min), overwrite=body.overwrite
    )
    return JsonResponse({"success": True, "count": count})


async def delete_user_alerts(request: Request) -> Response:
    actor = _require(request, Action.USER_ALERTS)
    body = await _read_user_alerts(request)
    return JsonResponse(
        {"success": True, "count": await _alerts(request).delete_presets(actor, body.name, body.systems)}
    )


async def acknowledge(request: Request) -> Response:
    actor = _require(request, Action.ACKNOWLEDGE)
    alert_id = (await read_object(request)).get("id")
    if not isinstance(alert_id, str) or not await _alerts(request).acknowledge(actor, alert_id):
        raise NotFound
    return JsonResponse({"success": True})


async def list_targets(request: Request) -> Response:
    _require(request, Action.ALERT_TARGETS)
    items = [{"target": target, "label": label, "unit": unit} for target, (label, unit) in watchable().items()]
    return JsonResponse({"items": items})


async def _read_user_alerts(request: Request) -> UserAlerts:
    try:
        body = msgspec.convert(await read_object(request), UserAlerts, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error
    if body.name not in PRESETS:
        raise invalid_field("name", "validation_invalid_value", f"One of {', '.join(PRESETS)}.")
    if not 0 <= body.min <= MAX_MINUTES or not 0 <= body.value <= 1e9:
        raise invalid_field("min", "validation_invalid_value", f"From 0 to {MAX_MINUTES} minutes.")
    if len(body.systems) > MAX_SYSTEMS:
        raise invalid_field("systems", "validation_too_many_values", f"At most {MAX_SYSTEMS} systems at once.")
    return body


def _require(request: Request, action: Action) -> Actor:
    actor: Actor = request.state.actor
    decision = decide(actor, action)
    if decision is Decision.UNAUTHENTICATED:
        raise Unauthorized
    if decision is not Decision.ALLOW:
        raise Forbidden
    return actor


def _alerts(request: Request) -> Alerts:
    alerts: Alerts = request.app.state.alerts
    return alerts


_USER_ALERTS: Final = "/api/beszel/user-alerts"

ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route(_USER_ALERTS, put_user_alerts, methods=["POST"]),
    Route(_USER_ALERTS, delete_user_alerts, methods=["DELETE"]),
    Route("/api/beszel/alerts/acknowledge", acknowledge, methods=["POST"]),
    Route("/api/beszel/alerts/targets", list_targets, methods=["GET"]),
)
