"""An Express application in memory, analysed; and the evidence for one of its facts."""

from __future__ import annotations

import json
from typing import Any

from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import Evidence, TechStack

HEAD = "const express = require('express');\nconst app = express();\n"


def stack_of(code: str = HEAD, package: dict[str, Any] | None = None, **files: str) -> TechStack:
    told = {"main": "server.js", "dependencies": {"express": "4"}, **(package or {})}
    return analyse(memory({"package.json": json.dumps(told, indent=1), "server.js": code, **files}))


def evidence(stack: TechStack, fact: str) -> Evidence:
    return next(item for item in stack.evidence if item.fact == fact)
