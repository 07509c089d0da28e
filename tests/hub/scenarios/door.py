"""What is open to everybody."""

from tests.support.scenario import Answer, Scenario, expect

SCENARIOS = (
    Scenario(
        name="health", route="/api/health", method="GET", path="/api/health",
        expect=expect(Answer(status=200, shows=('"code":200', '"message":', '"data":{}'), hides=("uma", "version"))),
    ),
)  # fmt: skip
