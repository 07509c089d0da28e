"""Going over to another hub, out of this one, and back in with a new password."""

from typing import TYPE_CHECKING

from beszel_tui.errors import ClientError, ConfigError
from beszel_tui.screens.login import LoginScreen

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


def switch_hub(app: "BeszelApp", name: str) -> None:
    """To the fleet of a hub that is known, or to the login if there is nothing to get in with."""
    try:
        is_open = app.context.switch(name)
    except ConfigError as error:
        app.say(str(error), severity="warning")
        return
    if is_open:
        app.show_fleet()
        app.start_hub()
    else:
        _show_login(app, app.settings.hub or "", "")


def leave_hub(app: "BeszelApp", reason: str) -> None:
    """Forget the session that has ended, and show the login of its hub."""
    hub = app.context.session_hub or app.settings.hub or ""
    if hub:
        app.context.forget(hub)
    _show_login(app, hub, reason)


def log_in_again(app: "BeszelApp", email: str, password: str) -> None:
    """After the password was changed, which has ended our session."""
    app.run_worker(_log_in_again(app, email, password), group="login")


async def _log_in_again(app: "BeszelApp", email: str, password: str) -> None:
    hub = app.context.session_hub or app.settings.hub or ""
    try:
        await app.context.login(hub, email, password)
    except (ClientError, OSError):
        leave_hub(app, "the password is changed: please log in again")
        return
    app.is_leaving = False
    app.show_fleet()
    app.start_hub()
    app.say("the password is changed, and every other session of yours has ended")


def _show_login(app: "BeszelApp", hub: str, reason: str) -> None:
    app.is_leaving = False
    app.show_fleet()
    app.switch_screen(LoginScreen(hub=hub, reason=reason))
