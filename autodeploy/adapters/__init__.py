"""The ways out into the world: one client library each; its errors end here, and no adapter knows another."""
