"""`/api/beszel/user-alerts` as Beszel's clients call it, acknowledging, and what can be watched."""

from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.alerts.bulk import BulkRules
from beszel_hub.alerts.presets import MAX_MINUTES, PRESETS
from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.targets import watchable
from beszel_hub.alerts.template_rules import Application
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.alerts.texts import describe
from beszel_hub.alerts.trial_request import TrialRequest
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import require
from beszel_hub.records.response import JsonResponse, read_object
from beszel_protocol.timestamps import format_timestamp

MAX_SYSTEMS: Final = 1000
MAX_STEPS: Final = 500
"""Of a trial; all of them are counted."""

T = TypeVar("T")


class UserAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `user-alerts`."""

    name: str
    systems: list[str]
    value: float = 0.0
    min: float = 0.0
    overwrite: bool = False


async def put_user_alerts(request: Request) -> Response:
    actor = require(request.state.actor, Action.USER_ALERTS)
    body = await _read_user_alerts(request)
    count = await _bulk(request).put_presets(
        actor, body.name, body.systems, body.value, int(body.min), overwrite=body.overwrite
    )
    return JsonResponse({"success": True, "count": count})


async def delete_user_alerts(request: Request) -> Response:
    actor = require(request.state.actor, Action.USER_ALERTS)
    body = await _read_user_alerts(request)
    return JsonResponse({"success": True, "count": await _bulk(request).delete_presets(actor, body.name, body.systems)})


async def acknowledge(request: Request) -> Response:
    actor = require(request.state.actor, Action.ACKNOWLEDGE)
    alert_id = (await read_object(request)).get("id")
    if not isinstance(alert_id, str) or not await _alerts(request).acknowledge(actor, alert_id):
        raise NotFound
    return JsonResponse({"success": True})


async def list_targets(request: Request) -> Response:
    require(request.state.actor, Action.ALERT_TARGETS)
    items = [{"target": target, "label": label, "unit": unit} for target, (label, unit) in watchable().items()]
    return JsonResponse({"items": items})


async def list_templates(request: Request) -> Response:
    require(request.state.actor, Action.ALERT_TEMPLATES)
    items = [
        {"name": name, "help": template.help, "rules": [rule.name for rule in template.rules]}
        for name, template in TEMPLATES.items()
    ]
    return JsonResponse({"items": items})


async def apply_template(request: Request) -> Response:
    actor = require(request.state.actor, Action.ALERT_TEMPLATES_APPLY)
    application = await _read(request, Application)
    return JsonResponse({"success": True, "count": await _bulk(request).apply_template(actor, application)})


async def try_rule(request: Request) -> Response:
    """What a rule would have said of one system; nobody is told."""
    actor = require(request.state.actor, Action.ALERT_TRIAL)
    system_name, trial = await _alerts(request).try_rule(actor, await _read(request, TrialRequest))
    steps = [
        {
            "at": format_timestamp(step.at_ms), "kind": step.happened, "target": step.target,
            "severity": step.severity, "value": step.value, "text": describe(step, system_name),
        }
        for step in trial.steps[:MAX_STEPS]
    ]  # fmt: skip
    resolutions = [
        {"from": format_timestamp(part.from_ms), "to": format_timestamp(part.to_ms), "seconds": part.seconds}
        for part in trial.stretches
    ]
    fired = sum(step.happened == "fired" for step in trial.steps)
    return JsonResponse(
        {"fired": fired, "samples": trial.samples, "resolutions": resolutions, "gaps": trial.gaps, "steps": steps}
    )


async def _read(request: Request, form: type[T]) -> T:
    try:
        return msgspec.convert(await read_object(request), form)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error


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


def _bulk(request: Request) -> BulkRules:
    bulk: BulkRules = request.app.state.bulk_rules
    return bulk


def _alerts(request: Request) -> Alerts:
    alerts: Alerts = request.app.state.alerts
    return alerts


_USER_ALERTS: Final = "/api/beszel/user-alerts"

ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route(_USER_ALERTS, put_user_alerts, methods=["POST"]),
    Route(_USER_ALERTS, delete_user_alerts, methods=["DELETE"]),
    Route("/api/beszel/alerts/acknowledge", acknowledge, methods=["POST"]),
    Route("/api/beszel/alerts/targets", list_targets, methods=["GET"]),
    Route("/api/beszel/alerts/templates", list_templates, methods=["GET"]),
    Route("/api/beszel/alerts/templates", apply_template, methods=["POST"]),
    Route("/api/beszel/alerts/test", try_rule, methods=["POST"]),
)
