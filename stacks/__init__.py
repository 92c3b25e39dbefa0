"""The back end, a plain Pulumi program: InfraPlan in, resources out. It asks AWS nothing and knows no application."""
