"""A postroom as a process: `python -m tests.support.postroom DIRECTORY` works on the outbox there until killed."""

import asyncio
import sys
from pathlib import Path

from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.notifications.postroom import Postroom
from beszel_hub.notifications.sender import Sender
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret


def main() -> None:
    database = Database(HubConfig(data_dir=Path(sys.argv[1])).database)
    database.open()
    sender = Sender(app_url="", send_letter=None)
    postroom = Postroom(database, Secret(b"s" * 32), system_clock, sender)
    postroom.tick_seconds = 0.02
    asyncio.run(postroom.run())


if __name__ == "__main__":
    main()
