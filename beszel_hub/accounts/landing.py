"""The pages that a browser meets on the way in: back from an identity provider, and for a new password.

They show nothing that came with the request, and run only the scripts that stand here, named by their hashes.
"""

import base64
import hashlib
from typing import Final, NamedTuple


class Page(NamedTuple):
    html: str
    headers: dict[str, str]


def _page(body: str, script: str = "", *, connects: bool = False) -> Page:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    policy += [f"script-src 'sha256-{digest}'"] if script else []
    policy += ["connect-src 'self'"] if connects else []
    tail = f"<script>{script}</script>" if script else ""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>beszel</title>'
        f"{body}{tail}</html>"
    )
    return Page(html, {"Content-Security-Policy": "; ".join(policy)})


_RESET_FORM: Final = """
<h1>A new password</h1>
<form>
<p><label>New password <input id="password" type="password" autocomplete="new-password" minlength="8" required></label>
<p><label>The same again <input id="again" type="password" autocomplete="new-password" minlength="8" required></label>
<p><button>Set it</button>
</form>
<p id="outcome" role="status">
"""
# The token stands behind the #, so no server and no proxy on the way logs it. A click is needed: programs that look
# through mail open links, too.
_MAILED_SCRIPT: Final = """
const value = (id) => document.getElementById(id).value;
const tell = (text) => { document.getElementById("outcome").textContent = text; };
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = {token: location.hash.slice(1)FIELDS};
  const options = {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  try {
    const answer = await fetch("api/collections/users/ACTION", options);
    if (answer.ok) { tell("DONE"); return; }
    const refusal = await answer.json();
    tell(Object.values(refusal.data || {}).map((one) => one.message).join(" ") || refusal.message);
  } catch { tell("The hub does not answer; try again."); }
});
"""

_VERIFY_FORM: Final = """
<h1>Your e-mail address</h1>
<p>Confirm that it is yours; then you can log in at this monitoring hub.
<form><p><button>It is mine</button></form>
<p id="outcome" role="status">
"""
_CHANGE_FORM: Final = """
<h1>A new e-mail address</h1>
<form>
<p><label>Your password <input id="password" type="password" autocomplete="current-password" required></label>
<p><button>Use this address from now on</button>
</form>
<p id="outcome" role="status">
"""

_CONFIRM_FORM: Final = """
<h1>Is this login yours?</h1>
<p>A program at another address than yours waits to be logged in to this monitoring hub as you.
<p>If you have not begun to log in there just now, somebody has sent you here: close this window.
<p><button>It is mine: log it in</button>
<p id="outcome" role="status">
"""
_CONFIRM_SCRIPT: Final = """
const tell = (text) => { document.getElementById("outcome").textContent = text; };
document.querySelector("button").addEventListener("click", async () => {
  try {
    const answer = await fetch(location.href, {method: "POST"});
    tell(answer.ok ? "You are logged in and can close this window." : "This login was not completed.");
  } catch { tell("The hub does not answer; try again."); }
});
"""


def _mailed_page(form: str, action: str, fields: str, done: str) -> Page:
    script = _MAILED_SCRIPT.replace("FIELDS", fields).replace("ACTION", action).replace("DONE", done)
    return _page(form, script, connects=True)


CONFIRM: Final = _page(_CONFIRM_FORM, _CONFIRM_SCRIPT, connects=True)
LANDED: Final = _page("<p>You are logged in and can close this window.", "window.close()")
LOST: Final = _page("<p>This login was not completed. Close this window and try again.")
RESET: Final = _mailed_page(
    _RESET_FORM, "confirm-password-reset", ', password: value("password"), passwordConfirm: value("again")',
    "Your password is set. Log in with it.",
)  # fmt: skip
VERIFY: Final = _mailed_page(_VERIFY_FORM, "confirm-verification", "", "Your address is confirmed. You can log in.")
CHANGE: Final = _mailed_page(
    _CHANGE_FORM, "confirm-email-change", ', password: value("password")',
    "This is your address now. Log in with it: every login of yours has ended.",
)  # fmt: skip
