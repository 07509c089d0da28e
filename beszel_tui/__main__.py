"""Starts the client, or says what is missing to start it."""

import os
import sys
from typing import Final, NoReturn

_COMPLETING: Final = "_BESZEL_TUI_COMPLETE"
"""Set by the shell when it asks what could come next."""


def main() -> NoReturn:
    try:
        status = _run(sys.argv[1:])
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("beszel_"):
            raise
        sys.stderr.write(f"beszel-tui: {error.name} is not installed: pip install 'beszel-suite[tui]'\n")
        status = 2
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    if not arguments and _COMPLETING not in os.environ:
        # The usual start parses nothing, so it does not pay for a parser: that is a tenth of the time to the picture.
        from beszel_tui.launch import start  # noqa: PLC0415 (what it needs may not be installed)

        return start()
    from beszel_tui.cli import run_command_line  # noqa: PLC0415 (what it needs may not be installed)

    return run_command_line(arguments)


if __name__ == "__main__":
    main()
