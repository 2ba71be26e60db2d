"""One file per incident: what happened, what is a hypothesis, which services race, and what closes it."""
