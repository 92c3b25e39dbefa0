"""Node.js: Tree in, TechStack out. One detector a file; reads syntax trees and runs nothing."""

from autodeploy.analyser.nodejs.analysis import analyse_nodejs

__all__ = ["analyse_nodejs"]
