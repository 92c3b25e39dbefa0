"""The local target: one daemon with an emulated AWS API, the `aws` provider over it, machines and balancers."""
