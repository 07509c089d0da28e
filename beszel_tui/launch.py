"""Starts the application: the feed is dialled first, and Textual is loaded while the hub answers."""

import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from beszel_tui.config import Flags, Settings, load_settings
from beszel_tui.context import Context
from beszel_tui.errors import TuiError

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
_LAST_WORDS_SECONDS: Final = 3.0

Companions = Callable[[Context], AbstractAsyncContextManager[None]]
"""What has to run beside the client, such as a private hub: entered before the source is opened."""


def start(flags: Flags | None = None) -> int:
    """Run the client with settings from everywhere; returns the exit status."""
    try:
        settings = load_settings(flags or Flags())
    except TuiError as error:
        return complain(error)
    return run(settings)


def run(settings: Settings, *, demo: bool = False, companions: Companions | None = None) -> int:
    try:
        return asyncio.run(_run(settings, demo=demo, companions=companions or _alone))
    except TuiError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 130


def complain(error: TuiError) -> int:
    sys.stderr.write(f"beszel-tui: {error}\n")
    return EXIT_USAGE if error.code in {"config", "theme"} else EXIT_FAILED


async def _run(settings: Settings, *, demo: bool, companions: Companions) -> int:
    error: TuiError | ModuleNotFoundError | None = None
    async with asyncio.TaskGroup() as group:
        context = Context(settings, group)
        try:
            async with companions(context):
                _open_source(context, demo=demo)
                await _run_app(context)
        except (TuiError, ModuleNotFoundError) as failure:
            error = failure  # raised here it would come out of the group wrapped
        finally:
            context.stop()
    if error is not None:
        raise error
    return EXIT_OK


async def _run_app(context: Context) -> None:
    # In a thread: the loop goes on dialling the hub meanwhile. By name: only here does anything load Textual.
    module: Any = await asyncio.to_thread(importlib.import_module, "beszel_tui.app")
    app = module.BeszelApp(context)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _leave, app.exit)
    await app.run_async()


def _leave(leave: Callable[[], None]) -> None:
    """Leave in order; but a terminal that is gone must not keep the program for ever."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS_SECONDS)
    leave()


def _open_source(context: Context, *, demo: bool) -> None:
    if demo:
        from beszel_tui.client.demo import DemoSource  # noqa: PLC0415 (only for the demonstration)

        context.use(DemoSource())
        return
    if context.source is not None:
        return  # a companion opened it
    context.open_known()


@contextlib.asynccontextmanager
async def _alone(_context: Context) -> AsyncIterator[None]:
    yield
