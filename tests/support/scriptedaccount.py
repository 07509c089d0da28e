"""An account that tells what a test says, and notes what it is asked to do."""

from beszel_tui.client.demo_account import DemoAccount
from beszel_tui.errors import ClientError, HubRefused
from beszel_tui.state.account import AccountFacts, Order


class ScriptedAccount:
    def __init__(self, now_ms: int) -> None:
        self.facts: AccountFacts | ClientError = HubRefused(500, "not told yet")
        self.orders: list[Order] = []
        self.refusal = ""
        """Why orders are not carried out."""
        self.secret = "the-secret-token"
        self._demo = DemoAccount(now_ms)

    async def tell_demo(self) -> None:
        """What the demonstration has: an administrator among three users."""
        self.facts = await self._demo.read()

    async def read(self) -> AccountFacts:
        if isinstance(self.facts, ClientError):
            raise self.facts
        return self.facts

    async def carry_out(self, order: Order) -> str:
        if self.refusal:
            raise HubRefused(400, self.refusal)
        self.orders.append(order)
        return self.secret
