"""The world of AutoDeploy in memory: a fake for every port, and the real line over them."""
