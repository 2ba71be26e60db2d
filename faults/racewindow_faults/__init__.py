"""The fault families, one file each: what can go wrong in a service, its network, its storage or its clock.

This package depends on the public names of `racewindow` only. A fault never names a service, so it can strike in any
scenario that offers a fault point.
"""
