"""A maintenance window of our own: the worker that charges orders is replaced while orders come in."""
