"""The services of dYdX Chain: the settlement of an isolated market, and a restart in two quorums."""
