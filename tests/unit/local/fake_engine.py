"""A container engine for tests: a program that keeps containers, networks and images in one JSON file.

It speaks the part of podman's and docker's command line that the local target uses, and writes down each call.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

STATE = "FAKE_ENGINE_STATE"


def install(folder: Path, program: str, **settings: object) -> Path:
    """Put the program into `folder`, return its state file."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.json"
    state.write_text(json.dumps({"containers": {}, "networks": {}, "images": [], "calls": [], **settings}))
    script = folder / program
    # -S -E: no site packages, so a call costs milliseconds.
    script.write_text(f'#!/bin/sh\n{STATE}={state} exec {sys.executable} -S -E {Path(__file__)} {program} "$@"\n')
    script.chmod(0o755)
    return state


def calls(state: Path) -> list[list[str]]:
    """Return all command lines so far."""
    return [list(map(str, call)) for call in json.loads(state.read_text())["calls"]]


class Engine:
    """One call."""

    def __init__(self, program: str, words: list[str], state: dict) -> None:
        self.program = program
        self.state = state
        self.words = words[2:] if words[:1] == ["--runtime"] else words

    def value(self, flag: str) -> str:
        return self.words[self.words.index(flag) + 1]

    def pairs(self, flag: str) -> dict[str, str]:
        found = [self.words[at + 1] for at, word in enumerate(self.words) if word == flag]
        return dict(text.split("=", 1) for text in found if "=" in text)

    def answer(self) -> str:
        verb = self.words[0]
        if verb in self.state.get("broken", []):
            sys.exit(f"Error: {verb} is broken")
        if verb in ("container", "network", "image"):
            return getattr(self, f"{verb}_{self.words[1]}")()
        return getattr(self, verb, self.unknown)()

    def unknown(self) -> str:
        sys.exit(f"Error: unknown command {self.words[0]}")

    def info(self) -> str:
        host = {"security": {"rootless": False}, "cgroupVersion": "v1", "ociRuntime": {"name": "runc"}}
        return json.dumps({"host": {**host, **self.state.get("host", {})}})

    def run(self) -> str:
        name = self.value("--name")
        if name in self.state["containers"]:
            sys.exit("Error: the name is taken")
        self.state["containers"][name] = {"labels": self.pairs("--label"), "status": "running"}
        return "id"

    def start(self) -> str:
        self.state["containers"][self.words[-1]]["status"] = "running"
        return ""

    def stop(self) -> str:
        self.state["containers"][self.words[-1]]["status"] = "exited"
        return ""

    def logs(self) -> str:
        return f"console of {self.words[-1]}"

    def rm(self) -> str:
        if self.state.get("busy", 0):
            self.state["busy"] -= 1
            sys.exit("Error: container state improper: stopped")
        del self.state["containers"][self.words[-1]]
        return ""

    def exec(self) -> str:
        self.state["stdin"] = sys.stdin.read()
        return self.state.get("says", "last words")

    def container_inspect(self) -> str:
        found = [(name, self.state["containers"][name]) for name in self.words[2:]]
        return json.dumps(
            [{"Name": n, "Config": {"Labels": c["labels"]}, "State": {"Status": c["status"]}} for n, c in found]
        )

    def _listed(self, things: dict) -> str:
        wanted = {key.removeprefix("label="): value for key, value in self._filters().items()}
        return "\n".join(name for name, thing in things.items() if wanted.items() <= thing["labels"].items())

    def _filters(self) -> dict[str, str]:
        found = [self.words[at + 1] for at, word in enumerate(self.words) if word == "--filter"]
        return dict(text.rsplit("=", 1) for text in found)

    def container_ls(self) -> str:
        return self._listed(self.state["containers"])

    def network_ls(self) -> str:
        return self._listed(self.state["networks"])

    def network_create(self) -> str:
        subnet = self.value("--subnet") if "--subnet" in self.words else f"127.89.{len(self.state['networks'])}.0/24"
        if subnet in self.state.get("taken_subnets", []):
            sys.exit("Error: Pool overlaps with other one on this address space")
        self.state["networks"][self.words[-1]] = {"labels": self.pairs("--label"), "subnet": subnet}
        return ""

    def network_inspect(self) -> str:
        subnet = self.state["networks"][self.words[2]]["subnet"]
        return json.dumps([{"subnets": [{"subnet": subnet}], "IPAM": {"Config": [{"Subnet": subnet}]}}])

    def network_rm(self) -> str:
        del self.state["networks"][self.words[-1]]
        return ""

    def image_inspect(self) -> str:
        if self.words[-1] not in self.state["images"]:
            sys.exit("Error: no such image")
        return "id"

    def image_ls(self) -> str:
        return "\n".join(reversed(self.state["images"]))

    def image_rm(self) -> str:
        if self.words[-1] in self.state.get("in_use", []):
            sys.exit("Error: image is in use by a container")
        self.state["images"].remove(self.words[-1])
        return ""

    def build(self) -> str:
        if missing := self.state.get("no_package"):
            text = Path(self.value("-f")).read_text()
            if missing in text.split():
                sys.exit(f"E: Unable to locate package {missing}")
        self.state["images"].append(self.value("-t"))
        self.state.setdefault("containerfiles", []).append(Path(self.value("-f")).read_text())
        return "STEP 1/1: FROM nowhere"

    def __getattr__(self, name: str):
        if name == "import":
            return lambda: self.state["images"].append(self.words[-1]) or ""
        raise AttributeError(name)


def main() -> None:
    """Answer one call."""
    import fcntl

    path = Path(os.environ[STATE])
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = json.loads(path.read_text())
        state["calls"].append(sys.argv[2:])
        try:
            print(Engine(sys.argv[1], sys.argv[2:], state).answer())
        except KeyError as err:
            sys.exit(f"Error: no such object: {err}")
        finally:
            # Whole or not at all: a test may look at any time, and a call may be killed.
            path.with_suffix(".new").write_text(json.dumps(state))
            path.with_suffix(".new").replace(path)


if __name__ == "__main__":
    main()
