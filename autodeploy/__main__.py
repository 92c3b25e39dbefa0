"""`python -m autodeploy` is the command line."""

from autodeploy.cli import main

main()
