"""Starts the command line, or says what is missing to start it."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        from beszel_agent.cli import run_command_line  # noqa: PLC0415 - what it needs may not be installed
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("beszel_"):
            raise
        sys.stderr.write(f"beszel-agent: {error.name} is not installed: pip install 'beszel-suite[agent]'\n")
        sys.exit(2)
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
