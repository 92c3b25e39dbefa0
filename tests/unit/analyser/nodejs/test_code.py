"""What is parsed of many files of JavaScript: those that a query may match in, as far as the allowance goes."""

from __future__ import annotations

import time

from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.analyser.nodejs.code import MAX_PARSED, read_code, words
from autodeploy.analyser.tree import Tree

PACKAGE = '{"scripts": {"start": "node index.js"}, "dependencies": {"express": "4"}}'
INDEX = """
const app = require('express')()
require('./lib/m1')
app.get('/health', (req, res) => res.send('ok'))
app.listen(process.env.PORT || 3000)
"""
LINE = "function f%d(a, b) { return a.value > b[1] ? a.map((x) => x * 2) : { key: a, name: `t${b}` }; }\n"
BODY = "".join(LINE % number for number in range(90))


def test_seven_hundred_files_of_nine_kilobytes_take_a_second() -> None:
    many = {f"lib/m{number}.js": f"const fs = require('fs')\n{BODY}" for number in range(700)}
    before = time.process_time()
    stack = analyse(memory({"package.json": PACKAGE, "index.js": INDEX, **many}))
    assert stack.health_check_path == "/health"
    assert time.process_time() - before < 1.5


def test_of_files_that_all_hold_routes_the_shallow_ones_are_parsed() -> None:
    text = "const router = require('express').Router()\nrouter.get('/x', (q, s) => s.send(process.env.X_Y))\n" + BODY
    many = {f"lib/m{number:03}.js": text for number in range(600)}
    tree = Tree(memory({"package.json": PACKAGE, "index.js": INDEX, **many}))
    found = [next(module.matches("(call_expression) @call"), None) for module in read_code(tree).modules]
    parsed = found.index(None)
    assert MAX_PARSED // len(text) <= parsed <= MAX_PARSED // len(text) + 1
    assert not any(found[parsed:])
    assert analyse(tree.source).health_check_path == "/health"


def test_the_words_of_a_query_are_the_names_it_asks_for() -> None:
    called = "(call_expression function: (member_expression property: (property_identifier) @by)"
    assert words(f'{called} (#any-of? @by "get" "all"))') == (b".all", b".get")
    assert words('\n(import_statement) @a\n((identifier) @by (#match? @by "^(express\\\\.static|serve)$"))\n') == (
        b"express.static", b"import", b"serve",
    )  # fmt: skip
    assert words("(call_expression) @call") == (b"",)
