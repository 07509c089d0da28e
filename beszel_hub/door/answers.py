"""Refusals and failures in PocketBase's form; nothing internal goes out."""

import logging
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from beszel_hub.errors import HubError
from beszel_hub.records.response import JsonResponse

_MESSAGES: Final = {
    404: "There is nothing here.",
    405: "This method is not for this address.",
    413: "The request body is too large.",
}

_log = logging.getLogger(__name__)


def refusal(error: HubError) -> Response:
    """The answer for an error that was raised on purpose."""
    headers: dict[str, str] = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    body = {"data": error.details(), "message": error.message, "status": error.status}
    return JsonResponse(body, status_code=error.status, headers=headers)


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """For the application: what a route or the router raises."""
    return {HubError: _refuse, HTTPException: _refuse_http}


class AnswerMiddleware:
    """Answers for whatever else is raised, in a route or in the door itself; the details go to the log only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_noting(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except HubError as error:
            response = await _refuse(Request(scope), error)
        except Exception:  # noqa: BLE001  # the last place before the server, which would only break the connection
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = refusal(HubError())
        else:
            return
        if not has_started:
            await response(scope, receive, send)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HubError):
        raise error
    if error.status >= 500:
        _log.warning("answered %d: %s", error.status, error, exc_info=error.__cause__)
    return refusal(error)


async def _refuse_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = _MESSAGES.get(error.status_code, error.detail)
    body = {"data": {}, "message": message, "status": error.status_code}
    return JsonResponse(body, status_code=error.status_code, headers=error.headers)
