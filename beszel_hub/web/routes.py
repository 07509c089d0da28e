"""The web view at `/` and `/system/{id}`: files that load nothing from elsewhere and run nothing inline."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action
from beszel_hub.door.origins import require_known_host
from beszel_hub.errors import NotFound
from beszel_hub.permissions import Decision, decide
from beszel_hub.web.files import make_page, make_style, read_text

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Trusted types: no script of the page can turn a text into markup, also not by mistake."""
_HEADERS: Final = {"Content-Security-Policy": POLICY, "Cross-Origin-Opener-Policy": "same-origin"}

Handler = Callable[[Request], Awaitable[Response]]


async def show_page(request: Request) -> Response:
    """The page; it has nothing in it that is anybody's."""
    return _answer(request, make_page(0), "text/html")


async def show_system(request: Request) -> Response:
    """The same page for any id: whether there is such a system is told to those who have logged in."""
    return _answer(request, make_page(1), "text/html")


async def give_style(request: Request) -> Response:
    """Its style sheet, in the colours of the themes."""
    return _answer(request, make_style(), "text/css")


def _give_script(name: str) -> Handler:
    async def give(request: Request) -> Response:
        return _answer(request, read_text(name), "text/javascript")

    give.__doc__ = f"Its script `{name}`."
    return give


def _answer(request: Request, text: str, media_type: str) -> Response:
    if decide(request.state.actor, Action.WEB_VIEW) is not Decision.ALLOW:
        raise NotFound
    require_known_host(request, request.app.state.config)
    return Response(text, media_type=media_type, headers=_HEADERS)


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/", show_page, methods=["GET"]),
    Route("/system/{id}", show_system, methods=["GET"]),
    Route("/web/view.css", give_style, methods=["GET"]),
    Route("/web/view.js", _give_script("view.js"), methods=["GET"]),
    Route("/web/fleet.js", _give_script("fleet.js"), methods=["GET"]),
)
