"""The local target: one daemon with an emulated AWS API, the `aws` provider over it, machines and balancers."""

ACCOUNT = "123456789012"
"""The emulated account's id, as moto has it."""
