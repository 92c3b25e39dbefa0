"""Tells which of gunicorn's workers hold web sockets open, for applications of Flask-SocketIO and Flask-Sock."""

from __future__ import annotations

import re

from autodeploy.analyser.python.code import modules
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.tree import Tree

_MODE = re.compile(r"\basync_mode\s*=\s*[\"'](?P<mode>threading|eventlet|gevent)\b")
_THREADS = " --threads 100"
_WORKERS = {
    "eventlet": " --worker-class eventlet --workers 1",
    "gevent": " --worker-class gevent --workers 1",
    "threading": f" --workers 1{_THREADS}",
}


def socket_options(tree: Tree, manifest: Manifest) -> str:
    """Return gunicorn's options, with a space before; "" for an application without web sockets.

    The words of https://flask-socketio.readthedocs.io/en/latest/deployment.html: one worker, of the kind that the code
    names, else of the first package that is installed, else with threads.
    """
    if manifest.find("flask-socketio"):
        named = (match["mode"] for path in modules(tree) if (match := _MODE.search(tree.read(path))))
        installed = (mode for mode in ("eventlet", "gevent") if manifest.find(mode))
        mode = next(named, None) or next(installed, "threading")
        if mode == "gevent" and manifest.find("gevent-websocket"):
            return " --worker-class geventwebsocket.gunicorn.workers.GeventWebSocketWorker --workers 1"
        return _WORKERS[mode]
    return _THREADS if manifest.find("flask-sock") else ""
