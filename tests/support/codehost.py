"""A provider of plain OAuth2 that answers as GitHub and Discord do, in a process of its own.

`python -m tests.support.codehost PORT` serves it. It checks what a careful provider does: client, secret, the place to
come back to, the proof of the verifier, and that a code is used once.
"""

import base64
import hashlib
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.programs import Process, clean_environment, free_port, running, wait_until

CLIENT: Final = ("the-hub", "its:secret")
REDIRECT_URL: Final = "https://client.example.org/oauth2-redirect"

_people: dict[str, dict[str, Any]] = {}
_codes: dict[str, dict[str, str]] = {}
_tokens: dict[str, str] = {}


class CodeHost:
    """Made by `code_host`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(timeout=10)

    def set_person(self, login: str, profile: dict[str, Any], emails: list[dict[str, Any]] | None = None) -> None:
        """Both in the form in which they are answered."""
        body = {"profile": profile, "emails": emails or []}
        self._client.put(f"{self.url}/people/{login}", json=body).raise_for_status()

    def log_in(self, url: str, login: str, redirect_url: str = REDIRECT_URL) -> dict[str, str]:
        """What a browser is sent back with, that was sent to `url` and is logged in as somebody."""
        answer = self._client.get(url + redirect_url, headers={"Login": login})
        location = answer.headers["location"]
        assert location.startswith(redirect_url), answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def close(self) -> None:
        self._client.close()


@contextmanager
def code_host(directory: Path) -> Iterator[CodeHost]:
    """Serve from a new process until the block ends."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.support.codehost", str(port)]
    with running(argv, clean_environment(directory), directory / "codehost.log") as process:
        host = CodeHost(f"http://127.0.0.1:{port}")
        try:
            wait_until("the provider answers", lambda: _answers(process, host.url))
            yield host
        finally:
            host.close()


def _answers(process: Process, url: str) -> bool:
    assert process.is_running, process.text()
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/user", timeout=2).status_code == 401
    return False


async def put_person(request: Request) -> Response:
    _people[request.path_params["login"]] = await request.json()
    return Response(status_code=204)


async def authorize(request: Request) -> Response:
    asked = dict(request.query_params)
    if asked["client_id"] != CLIENT[0] or asked["code_challenge_method"] != "S256":
        return Response("no such client", status_code=400)
    code = secrets.token_hex(10)
    _codes[code] = {**asked, "login": request.headers["login"]}
    return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)


async def give_token(request: Request) -> Response:
    """GitHub answers 200 also when it refuses."""
    form = await request.form()
    asked = _codes.pop(str(form["code"]), None)
    digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
    is_right = (
        asked is not None
        and (form["client_id"], form["client_secret"]) == CLIENT
        and form["redirect_uri"] == asked["redirect_uri"]
        and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    )
    if asked is None or not is_right:
        return JSONResponse({"error": "bad_verification_code"})
    token = secrets.token_hex(10)
    _tokens[token] = asked["login"]
    return JSONResponse({"access_token": token, "token_type": "bearer", "scope": asked["scope"]})


async def show(request: Request) -> Response:
    login = _tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
    if login is None:
        return JSONResponse({"message": "Requires authentication"}, 401)
    return JSONResponse(_people[login]["emails" if request.url.path.endswith("/emails") else "profile"])


def main() -> None:
    app = Starlette(
        routes=[
            Route("/people/{login}", put_person, methods=["PUT"]), Route("/authorize", authorize),
            Route("/token", give_token, methods=["POST"]), Route("/user", show), Route("/user/emails", show),
            Route("/users/@me", show),
        ]
    )  # fmt: skip
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
