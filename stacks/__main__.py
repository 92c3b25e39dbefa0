"""Where the bare `pulumi` command begins; the same program as `autodeploy deploy` runs inline."""

from stacks.program import program

program()
