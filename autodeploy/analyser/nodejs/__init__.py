"""Node.js: Tree in, TechStack out. One detector a file; reads syntax trees and runs nothing."""
