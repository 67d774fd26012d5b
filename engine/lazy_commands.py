"""Commands that are loaded when somebody asks for them: a station that starts does not wait for those of desks."""

from importlib import import_module

import click

COMMANDS = {
    "conformance": "engine.conformance.command",
    "dossier": "engine.dossier.command",
    "explore": "engine.exploration.command",
    "mutate": "engine.mutation.command",
    "play": "engine.play.command",
    "schedule": "engine.schedule.command",
    "tours": "engine.conformance.touring",
}
"""The module of each command; its function there has the same name."""


class LazyGroup(click.Group):
    """Commands of its own, and those of ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None if there is none."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(found, click.Command)
        return found
