"""Python: Tree in, TechStack out. One detector a file; reads syntax trees and runs nothing."""

from autodeploy.analyser.python.analysis import analyse_python

__all__ = ["analyse_python"]
