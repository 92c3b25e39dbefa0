"""The Python language host beside a built engine: the engine starts it, it runs the program that Pulumi.yaml names.

Speaks the engine's LanguageRuntime protocol; prints its port, and nothing else, on standard output.
Ends with its parent.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

NAME = "pulumi-language-python"
PYTHON = "AUTODEPLOY_PYTHON"
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
WRAPPER = f"""#!/bin/sh
# The interpreter is the one that `autodeploy pulumi-env` names, else the shell's own.
exec "${{{PYTHON}:-python3}}" -c 'from autodeploy.adapters.pulumi.language_host import serve; serve()' "$@"
"""


def install(folder: Path) -> None:
    """Put the language host beside the engine in `folder`."""
    wrapper = folder / NAME
    wrapper.write_text(WRAPPER, "utf-8")
    wrapper.chmod(0o755)


class LanguageHost(LanguageServer):
    """The Automation API's language server, with a program read from disk."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Handshake(self, request: Any, context: Any) -> Any:
        """Greet the engine."""
        return language_pb2.LanguageHandshakeResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Ask nothing: there are no options."""
        return language_pb2.RuntimeOptionsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """Name no dependencies; only `pulumi about` shows them."""
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program in its own folder, as the official host does."""
        self.program = lambda: run_program(request.info.program_directory, request.info.entry_point)
        os.chdir(request.pwd or request.info.program_directory)
        return super().Run(request, context)  # type: ignore[no-untyped-call]


def run_program(folder: str, entry_point: str) -> None:
    """Execute the program's __main__ with its root on the import path."""
    sys.path.insert(0, folder)
    runpy.run_path(str(Path(folder) / entry_point), run_name="__main__")


def serve() -> None:
    """Serve until the parent ends or a signal comes."""
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    print(port, flush=True)
    server.wait_for_termination()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.3)
    os._exit(0)


def _leave(number: int, frame: object) -> None:
    # A plain exit would print a trace into the engine's output and wait for the running program.
    os._exit(0)
