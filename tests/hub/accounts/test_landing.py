"""The pages on the way in: they run their own script and no other."""

import base64
import hashlib
import re
import subprocess

import pytest

from beszel_hub.accounts.landing import CHANGE, CONFIRM, LANDED, LOST, RESET, VERIFY, Page
from tests.support.services import need_program


@pytest.mark.parametrize("page", [CHANGE, CONFIRM, LANDED, LOST, RESET, VERIFY])
def test_only_the_script_that_stands_there_runs(page: Page) -> None:
    policy = page.headers["Content-Security-Policy"]
    scripts = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"\son[a-z]+=|javascript:|style=|src=", page.html)


def test_the_form_sends_what_the_hub_wants() -> None:
    """Run by Node on stand-ins for the few things of a browser that it touches."""
    (script,) = re.findall(r"<script>(.*?)</script>", RESET.html, re.DOTALL)
    stage = """
const fields = {password: {value: "new password"}, again: {value: "new passwort"}, outcome: {}};
let submit;
globalThis.document = {
  getElementById: (id) => fields[id],
  querySelector: () => ({addEventListener: (_, handler) => { submit = handler; }}),
};
globalThis.location = {hash: "#the-token"};
globalThis.fetch = async (url, options) => {
  console.log(url, options.method, options.body);
  return {ok: false, json: async () => ({message: "m", data: {passwordConfirm: {message: "Not the same."}}})};
};
%s
submit({preventDefault() {}}).then(() => console.log(fields.outcome.textContent));
"""
    argv = [need_program("node"), "-e", stage % script]
    out = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
    sent = '{"token":"the-token","password":"new password","passwordConfirm":"new passwort"}'
    assert out.splitlines() == [f"api/collections/users/confirm-password-reset POST {sent}", "Not the same."]
