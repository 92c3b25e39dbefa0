"""The releases of Node.js that can be had: one for each major version, pinned, so that a build gives the same again."""

from __future__ import annotations

NODE_RELEASES: dict[str, str] = {
    "14": "14.21.3",
    "16": "16.20.2",
    "18": "18.20.8",
    "20": "20.20.2",
    "22": "22.22.2",
    "24": "24.15.0",
    "26": "26.10.0",
}
"""By major version, oldest first; https://nodejs.org/en/about/previous-releases."""

NODE_DEFAULT = "24"
"""The line with long-term support that most packages have been tried on."""


def node_release(version: str) -> str | None:
    """Return the release for a version like "18.x"; None where there is none."""
    return NODE_RELEASES.get(version.lstrip("v").partition(".")[0])
