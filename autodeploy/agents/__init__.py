"""The agents: each joins passes and ports for one stretch of the line, with the design document's method and `run`."""
