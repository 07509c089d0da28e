"""The web view: the same files for everybody, with nothing of anybody in them."""

from tests.support.scenario import Answer, Scenario, expect

_OF_PEOPLE = ("uma@", "uma-web", "otto@", "otto-db", "ada@", '"token":"ey')

SCENARIOS = tuple(
    Scenario(
        name=f"load {path}", route=path, method="GET", path=path,
        expect=expect(Answer(status=200, shows=(shown,), hides=_OF_PEOPLE)),
    )
    for path, shown in (
        ("/", "<title>beszel</title>"), ("/web/view.css", "prefers-color-scheme"), ("/web/view.js", "fleet.js"),
        ("/web/fleet.js", "takeFrame"),
    )
)  # fmt: skip
