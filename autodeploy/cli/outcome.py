"""How a run ends: exit codes, and the one place where errors are caught."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from autodeploy.cli.choices import Wire
    from autodeploy.errors import AgentError
    from autodeploy.model import ErrorEntry

INTERRUPTED = 130


def run(app: typer.Typer, arguments: Sequence[str], wire: Wire | None = None) -> int:
    """Run one command; return its exit code; show errors as the document's four lines.

    `wire` makes the world of the run from its settings; the real one where it is None.
    """
    from autodeploy.errors import AgentError
    from autodeploy.interruption import heard

    shared: dict[str, Any] = {"wire": wire}
    try:
        command = typer.main.get_command(app)
        with heard():
            code = command.main(list(arguments), prog_name="autodeploy", standalone_mode=False, obj=shared)
        # Some versions of typer take Ctrl-C themselves and make it this exit code; a verb that ended so has told it.
        if code == INTERRUPTED and not shared.get("told"):
            return _interrupted()
        return code if isinstance(code, int) else 0
    except AgentError as err:
        return _report(err, "--debug" in arguments)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except Exception as err:
        return _other(err, "--debug" in arguments, shared.get("home"))


def _interrupted() -> int:
    from autodeploy.wiring import terminal

    terminal().close()  # a live display has hidden the cursor
    print("\nInterrupted. Go on with the same command, or take all back: autodeploy destroy", file=sys.stderr)
    return INTERRUPTED


def _other(err: Exception, debug: bool, home: Path | None) -> int:
    show, code = getattr(err, "show", None), getattr(err, "exit_code", None)
    if show is not None and isinstance(code, int):  # typer's own usage errors
        show()
        return code
    from autodeploy.errors import AgentError, disk_error

    context = "Running the command"
    shown = disk_error(err, context, home) or AgentError(
        f"{type(err).__name__}: {err}",
        "This is a fault of AutoDeploy; run the command again with --debug and report what it shows.",
        context=context,
    )
    return _report(shown.with_traceback(err.__traceback__), debug)


def _report(err: Exception, debug: bool) -> int:
    from autodeploy.errors import AgentError
    from autodeploy.wiring import terminal

    assert isinstance(err, AgentError)
    terminal().error(err)
    if debug:
        import traceback

        traceback.print_exception(err)
    return err.exit_code


def failure(entry: ErrorEntry) -> AgentError:
    """Return the error that the ledger recorded, of its own class, so that its exit code is known."""
    from autodeploy import errors

    kind = getattr(errors, entry.error_type, errors.AgentError)
    error: AgentError = kind(
        entry.message,
        entry.remediation,
        agent=entry.agent,
        context=entry.context,
        output=entry.output,
        stack=entry.stack_trace or "",
    )
    return error
