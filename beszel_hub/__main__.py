"""Starts the command line, or says what is missing to start it."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        from beszel_hub.cli.commands import run_command_line  # noqa: PLC0415 - what it needs may not be installed

        status = run_command_line(sys.argv[1:])
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing.startswith("beszel_"):
            raise
        sys.stderr.write(f"beszel-hub: {missing} is not installed: pip install 'beszel-suite[hub]'\n")
        status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
