"""The command line: every command with its help, its arguments and its options."""

import click

from engine.cli import command
from statecharge_docs.reference.text import code, plain, table


def text() -> str:
    """Every command."""
    context = click.Context(command, info_name="statecharge")
    parts = []
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        parts.append(told(name, found, context))
    return "\n\n".join(parts) + "\n"


def told(name: str, found: click.Command, parent: click.Context) -> str:
    """One command."""
    context = click.Context(found, info_name=name, parent=parent)
    usage = found.get_usage(context).removeprefix("Usage: ")
    paragraphs = [plain(part) for part in (found.help or "").replace("\b", "").split("\n\n")]
    shown = (row(option, context) for option in found.get_params(context) if _is_told(option))
    options = table(("Option", "Meaning"), shown)
    return "\n\n".join(
        [f"## statecharge {name}", f"```text\n{' '.join(usage.split())}\n```", *paragraphs, options]
    )


def _is_told(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and not parameter.hidden


def row(option: click.Parameter, context: click.Context) -> tuple[str, str]:
    """An option as ``--help`` shows it."""
    record = option.get_help_record(context)
    assert record is not None
    return code(record[0]), plain(record[1])
