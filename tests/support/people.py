"""The same two people in a hub, however often a test has changed them."""

from beszel_hub.accounts.mailthrottle import MailThrottle
from beszel_hub.accounts.tables import User
from beszel_hub.accounts.throttle import LoginThrottle
from tests.support.runninghub import FAST_COST, RunningHub


def start_over(running: RunningHub) -> None:
    """Leave ada (an administrator) and uma, with nothing that was theirs, and no attempt counted."""
    running.hub.accounts.hasher.cost = FAST_COST
    running.hub.database.write_now(lambda: User.delete().execute())
    running.create_user("ada@example.org", "admin")
    running.create_user("uma@example.org")
    running.hub.accounts.throttle = LoginThrottle()
    running.hub.desk.mailroom.throttle = MailThrottle()
    running.call(running.hub.accounts.revalidate())
