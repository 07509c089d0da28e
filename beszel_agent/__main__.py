"""Starts the command line, or says what is missing to start it."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        from beszel_agent.cli import run_command_line  # noqa: PLC0415 - what it needs may not be installed

        sys.exit(run_command_line(sys.argv[1:]))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing.startswith("beszel_"):
            raise
        sys.stderr.write(f"beszel-agent: {missing} is not installed: pip install 'beszel-suite[agent]'\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
