"""The services of CME's outage: a plant that fails, an estimate of how long, two sites, and an operator who decides."""
