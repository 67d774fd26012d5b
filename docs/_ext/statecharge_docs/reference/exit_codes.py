"""The exit codes of ``statecharge``: those that have a name, and what the help of each command says."""

import re

import click

from engine.cli import command
from engine.process import REBOOT_CODE, RESTART_CODE
from statecharge_docs.reference.text import code, plain, table

ENDS = re.compile(r"[^.]*\b(?:[Ee]nds? with|exit code is) [01]\b[^.]*\.")

COMMON = {
    "0": "It is done.",
    "1": "It is done, and something is wrong: see below. A defect of the program, too, with its traceback.",
    "2": "It cannot be done as asked for: a wrong option or declaration, a device or a file that is not there. "
    "One line for each mistake says which.",
    str(RESTART_CODE): '`run` with `process.reset = "exit"`: start the station again.',
    str(REBOOT_CODE): '`run` with `process.reset = "exit"`: reboot the box.',
    "130": "It was interrupted.",
}


def text() -> str:
    """The codes, and the commands that say more of them."""
    body = ((code(f"statecharge {name}"), said) for name, said in by_command())
    common = table(("Code", "Meaning"), ((code(number), meaning) for number, meaning in COMMON.items()))
    return f"{common}\n\n## By command\n\n{table(('Command', 'Ends with'), body)}\n"


def by_command() -> list[tuple[str, str]]:
    """What commands say of how they end."""
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        each = command.get_command(context, name)
        sentences = ENDS.findall(plain(each.help or "")) if each is not None else []
        if sentences:
            found.append((name, " ".join(sentence.strip() for sentence in sentences)))
    return found
