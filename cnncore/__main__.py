"""The command line: `python -m cnncore COMMAND`; `--help` after any command lists what it takes."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from cnncore.commands import COMMANDS
from cnncore.errors import LabError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cnncore", description="CNN Lab from the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.options(commands.add_parser(name, help=command.help))
    return parser


def main() -> NoReturn:
    """Run the command of `sys.argv`; a problem a person can mend is one line on standard error and exit code 2."""
    arguments = _parser().parse_args()
    try:
        code = COMMANDS[arguments.command].run(arguments)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
