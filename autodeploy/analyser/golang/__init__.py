"""Go: Tree in, TechStack out. One detector a file; reads syntax trees and runs nothing."""

from autodeploy.analyser.golang.analysis import analyse_go

__all__ = ["analyse_go"]
