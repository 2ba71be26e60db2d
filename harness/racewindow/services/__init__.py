"""Services with a life cycle, and the calls between them: where faults of processes and of the network strike."""
