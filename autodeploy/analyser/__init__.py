"""Source -> TechStack: what a repository is, with evidence for each fact. Reads the Source alone and runs nothing."""

from autodeploy.analyser.analysis import OVERRIDES, analyse
from autodeploy.analyser.language import detect_language

__all__ = ["OVERRIDES", "analyse", "detect_language"]
