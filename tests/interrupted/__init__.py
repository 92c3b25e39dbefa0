"""The command line with every effect counted, and one of them the last: runs that die, or meet Ctrl-C, at a chosen point."""
