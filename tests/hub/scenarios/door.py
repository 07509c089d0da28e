"""What is open to everybody."""

from tests.support.scenario import Answer, Scenario, expect

SCENARIOS = (
    Scenario(
        name="health", route="/api/health", method="GET", path="/api/health",
        expect=expect(Answer(status=200, shows=('"code":200', '"message":', '"data":{}'), hides=("uma", "version"))),
    ),
    Scenario(
        name="whether there is a user", route="/api/beszel/first-run", method="GET", path="/api/beszel/first-run",
        expect=expect(Answer(status=200, shows=('{"firstRun":false}',))),
    ),
    Scenario(
        name="be the first user when there are others", route="/api/beszel/create-user", method="POST",
        path="/api/beszel/create-user", body={"email": "eve@example.org", "password": "a long password"},
        expect=expect(Answer(status=404, hides=("eve", "ada@"))),
    ),
)  # fmt: skip
