"""The person at the terminal: progress, plans, questions and errors on stderr; data on stdout is the CLI's."""

from autodeploy.adapters.terminal.plain import PlainTerminal
from autodeploy.adapters.terminal.screen import RichTerminal, open_terminal

__all__ = ["PlainTerminal", "RichTerminal", "open_terminal"]
