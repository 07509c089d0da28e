"""`/api/backups`, as PocketBase has it: made, listed, fetched, deleted, and put back at the next start."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from beszel_hub.accounts.filetokens import FileTokens
from beszel_hub.actions import Action
from beszel_hub.backups.service import Backups
from beszel_hub.errors import Forbidden, Unauthorized, invalid_field
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.records.dates import format_date
from beszel_hub.records.response import JsonResponse, read_object


async def list_backups(request: Request) -> Response:
    """Every backup, newest first."""
    _require_whole(request.state.actor, Action.BACKUPS_LIST)
    requested = await _backups(request).requested()
    answer = [
        {
            "key": file.key, "size": file.bytes, "modified": format_date(file.modified_ms),
            "restoring": file.key == requested,
        }
        for file in await _backups(request).list()
    ]  # fmt: skip
    return JsonResponse(answer)


async def create_backup(request: Request) -> Response:
    """Answers once the backup is complete."""
    actor = _require_whole(request.state.actor, Action.BACKUPS_CREATE)
    name = (await read_object(request)).get("name") or ""
    if not isinstance(name, str):
        raise invalid_field("name", "validation_match_invalid", "This must be a text.")
    await _backups(request).create(actor, name, _address(request))
    return Response(status_code=204)


async def download_backup(request: Request) -> Response:
    """By a login, or by a token for files in the query, since browsers send no headers for a download."""
    actor: Actor = request.state.actor
    token = request.query_params.get("token", "")
    if token:
        tokens: FileTokens = request.app.state.file_tokens
        actor = await tokens.read(token)
    actor = _require(actor, Action.BACKUPS_DOWNLOAD)
    path = await _backups(request).fetch(actor, _key(request), _address(request))
    return FileResponse(path, media_type="application/zip", filename=path.name, headers={"Cache-Control": "no-store"})


async def delete_backup(request: Request) -> Response:
    actor = _require(request.state.actor, Action.BACKUPS_DELETE)
    await _backups(request).delete(actor, _key(request), _address(request))
    return Response(status_code=204)


async def restore_backup(request: Request) -> Response:
    """Checks it, and has the next start of the hub put it back."""
    actor = _require(request.state.actor, Action.BACKUPS_RESTORE)
    await _backups(request).prepare_restore(actor, _key(request), _address(request))
    return Response(status_code=204)


async def issue_file_token(request: Request) -> Response:
    """For three minutes, what its owner may fetch by it."""
    actor = _require(request.state.actor, Action.FILES_TOKEN)
    tokens: FileTokens = request.app.state.file_tokens
    return JsonResponse({"token": await tokens.issue(actor)})


def _require(actor: Actor, action: Action) -> Actor:
    decision = decide(actor, action)
    if decision is Decision.UNAUTHENTICATED:
        raise Unauthorized
    if decision is not Decision.ALLOW:
        raise Forbidden
    return actor


def _require_whole(actor: Actor, action: Action) -> Actor:
    """Of what is about all systems, a token for some gets nothing."""
    _require(actor, action)
    if not actor.sees_everybody:
        raise Forbidden
    return actor


def _key(request: Request) -> str:
    return str(request.path_params["key"])


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _backups(request: Request) -> Backups:
    backups: Backups = request.app.state.backups
    return backups


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/backups", list_backups, methods=["GET"]),
    Route("/api/backups", create_backup, methods=["POST"]),
    Route("/api/backups/{key}", download_backup, methods=["GET"]),
    Route("/api/backups/{key}", delete_backup, methods=["DELETE"]),
    Route("/api/backups/{key}/restore", restore_backup, methods=["POST"]),
    Route("/api/files/token", issue_file_token, methods=["POST"]),
)
