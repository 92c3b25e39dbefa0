"""Finds programs that work without HTTP: a Procfile's worker, or a main script that goes on for ever."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.code import modules
from autodeploy.analyser.python.serving import in_venv
from autodeploy.analyser.tree import Tree
from autodeploy.analyser.worker import NO_PORT, asks_for_http, worker_process
from autodeploy.model import Evidence

_SCRIPTS = ("worker.py", "main.py", "__main__.py", "bot.py", "app.py", "run.py", "start.py", "consumer.py", "index.py")
_LASTING = re.compile(
    r"^\s*(?:import|from)\s+(?:schedule|apscheduler|discord|nextcord|disnake|telegram|telebot|aiogram|pyrogram|telethon"
    r"|pika|aio_pika|kafka|confluent_kafka|aiokafka|celery|rq|dramatiq|huey|slack_bolt|nats|paho|zmq|praw|tweepy)\b"
    r"|^\s*while\s+(?:True|1|not\s+[\w.]+(?:\(\))?)\s*:|\brun_forever\(|\bsignal\.pause\(",
    re.MULTILINE,
)
"""Libraries whose programs wait for work instead of ending, and loops that do not end."""

_HTTP = re.compile(
    r"^\s*(?:import|from)\s+(?:http\.server|http\s+import\s+server|socketserver|aiohttp\.web|aiohttp\s+import\s+web|tornado"
    r"|streamlit|gradio|dash|nicegui)\b",
    re.MULTILINE,
)


def find_worker(
    tree: Tree, processes: Mapping[str, Process], is_web: bool, overrides: Mapping[str, str]
) -> tuple[str, Evidence] | None:
    """Return the command that starts the worker, and why; None where the application answers HTTP.

    `is_web`: an application object or a web framework was found.
    """
    if asks_for_http(overrides) or "app" in overrides:
        return None
    is_told, process = overrides.get("port") == NO_PORT, worker_process(processes)
    if "start_command" in overrides:
        command = overrides["start_command"]
        told = Evidence(fact="start_command", value=command, rule="--start-command")
        return (command, told) if is_told or (not is_web and process) else None
    if process and (is_told or not is_web):
        return _found(in_venv(process.command), process.file, process.line, f"procfile-{process.name}")
    return _script(tree, is_told) if is_told or not (is_web or "web" in processes) else None


def _script(tree: Tree, is_told: bool) -> tuple[str, Evidence] | None:
    candidates = [path for path in modules(tree) if path.rsplit("/", 1)[-1] in _SCRIPTS and path.count("/") <= 1]
    ranked = sorted(candidates, key=lambda path: (path.count("/"), _SCRIPTS.index(path.rsplit("/", 1)[-1])))
    for path in ranked:
        line = _begins(tree, path)
        if line and (is_told or _lasts(tree)):
            folder, _, name = path.rpartition("/")
            module = f"-m {folder}" if name == "__main__.py" and folder else path
            return _found(f"/app/venv/bin/python {module}", tree.where(path), line, "main-script")
    return None


def _begins(tree: Tree, path: str) -> int:
    """Return the line where a script begins to work; 0 where it only defines things."""
    syntax = tree.syntax(path)
    if syntax is None:
        return 0
    for node in syntax.body:
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await))
        if is_call or isinstance(node, (ast.While, ast.For)):
            return node.lineno
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            return node.lineno
    return 0


def _lasts(tree: Tree) -> bool:
    """Tell whether the program waits for work for ever, and answers no HTTP meanwhile."""
    texts = [tree.read(path) for path in modules(tree)]
    return any(map(_LASTING.search, texts)) and not any(map(_HTTP.search, texts))


def _found(command: str, file: str, line: int, rule: str) -> tuple[str, Evidence]:
    return command, Evidence(fact="start_command", value=command, file=file, line=line, rule=rule)
