"""The layout of a repository: which folders hold projects, which of them serves, and what is no application at all."""
