"""The web view: the same files for everybody, with nothing of anybody in them."""

from tests.support.scenario import Answer, Scenario, expect

_OF_PEOPLE = ("uma@", "uma-web", "otto@", "otto-db", "ada@", '"token":"ey')

SCENARIOS = tuple(
    Scenario(
        name=f"load {path}", route=route, method="GET", path=path,
        expect=expect(Answer(status=200, shows=(shown,), hides=_OF_PEOPLE)),
    )
    for route, path, shown in (
        ("/", "/", "<title>beszel</title>"), ("/system/{id}", "/system/{uma_web}", "../web/view.js"),
        ("/system/{id}", "/system/nowhere", "../web/view.js"),
        ("/web/view.css", "/web/view.css", "prefers-color-scheme"),
        ("/web/view.js", "/web/view.js", "fleet.js"), ("/web/fleet.js", "/web/fleet.js", "takeFrame"),
    )
)  # fmt: skip
