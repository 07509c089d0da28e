"""The edge: one Starlette application over a hub, with every route there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from beszel_hub.accounts.routes import ROUTES as ACCOUNT_ROUTES
from beszel_hub.actions import Action
from beszel_hub.agents.routes import ROUTES as AGENT_ROUTES
from beszel_hub.alerts.bulk import BulkRules
from beszel_hub.alerts.routes import ROUTES as ALERT_ROUTES
from beszel_hub.backups.routes import ROUTES as BACKUP_ROUTES
from beszel_hub.components.routes import ROUTES as COMPONENT_ROUTES
from beszel_hub.door.answers import exception_handlers
from beszel_hub.door.origins import is_allowed_origin
from beszel_hub.door.routes import ROUTES as DOOR_ROUTES
from beszel_hub.door.stack import middleware
from beszel_hub.errors import Forbidden, Unauthorized
from beszel_hub.export.routes import ROUTES as EXPORT_ROUTES
from beszel_hub.hub import Hub
from beszel_hub.inventory.routes import ROUTES as INVENTORY_ROUTES
from beszel_hub.live.routes import PATH as REALTIME_PATH
from beszel_hub.live.routes import open_stream, set_subscriptions
from beszel_hub.metrics.routes import ROUTES as METRICS_ROUTES
from beszel_hub.notifications.routes import ROUTES as NOTIFICATION_ROUTES
from beszel_hub.permissions import Decision, decide
from beszel_hub.records.response import JsonResponse
from beszel_hub.records.routes import ROUTES as RECORD_ROUTES
from beszel_hub.systems.routes import ROUTES as SYSTEM_ROUTES
from beszel_hub.updates.routes import ROUTES as UPDATE_ROUTES
from beszel_hub.web.routes import ROUTES as WEB_ROUTES
from beszel_protocol.version import VERSION


async def get_info(request: Request) -> Response:
    if decide(request.state.actor, Action.INFO) is not Decision.ALLOW:
        raise Unauthorized
    return JsonResponse(
        {"key": request.app.state.hub_key.public_line, "v": VERSION, "cu": request.app.state.releases is not None}
    )


async def open_event_stream(request: Request) -> Response:
    if not is_allowed_origin(request.headers, request.app.state.config):
        raise Forbidden("Web pages of this origin may not use the event stream.")
    return await open_stream(request)


async def follow_feed(websocket: WebSocket) -> None:
    state = websocket.app.state
    if not is_allowed_origin(websocket.headers, state.config):
        body = {"data": {}, "message": "Web pages of this origin may not use the feed.", "status": 403}
        await websocket.send_denial_response(JsonResponse(body, status_code=403))
        return
    await websocket.accept()
    await state.feed.serve(websocket)


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/info", get_info, methods=["GET"]),
    Route("/api/beszel/getkey", get_info, methods=["GET"]),
    WebSocketRoute("/api/beszel/feed", follow_feed),
    Route(REALTIME_PATH, open_event_stream, methods=["GET"]),
    Route(REALTIME_PATH, set_subscriptions, methods=["POST"]),
    *DOOR_ROUTES,
    *AGENT_ROUTES,
    *METRICS_ROUTES,
    *ALERT_ROUTES,
    *INVENTORY_ROUTES,
    *COMPONENT_ROUTES,
    *EXPORT_ROUTES,
    *BACKUP_ROUTES,
    *ACCOUNT_ROUTES,
    *SYSTEM_ROUTES,
    *NOTIFICATION_ROUTES,
    *UPDATE_ROUTES,
    *RECORD_ROUTES,
    *WEB_ROUTES,
)


def create_app(hub: Hub) -> Starlette:
    """The application; its lifespan is that of the hub's jobs, at whose end the hub is closed."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hub.running():
            yield

    app = Starlette(
        routes=list(ROUTES),
        middleware=middleware(hub.config, hub.accounts),
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would repeat whatever name the hub was called by
    app.state.config = hub.config
    app.state.clock = hub.clock
    app.state.hub_key = hub.key
    app.state.accounts = hub.accounts
    app.state.logins = hub.desk.logins
    app.state.recovery = hub.desk.recovery
    app.state.addresses = hub.desk.addresses
    app.state.mailroom = hub.desk.mailroom
    app.state.outsiders = hub.desk.outsiders
    app.state.backups = hub.backups
    app.state.file_tokens = hub.desk.file_tokens
    app.state.database = hub.database
    app.state.releases = hub.releases
    app.state.first_user = hub.desk.first_user
    app.state.systems = hub.systems
    app.state.notifications = hub.notifications
    app.state.jobs = hub.job_board
    app.state.records = hub.records
    app.state.agents = hub.agents
    app.state.alerts = hub.alerts
    app.state.bulk_rules = BulkRules(hub.records, hub.clock, hub.alerts.refresh)
    app.state.history = hub.history
    app.state.exports = hub.exports
    app.state.recent = hub.recent
    app.state.feed = hub.feed
    app.state.realtime = hub.realtime
    app.state.component_details = hub.component_details
    app.state.container_details = hub.container_details
    return app
