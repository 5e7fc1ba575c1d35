"""How a process of ours runs: patience with the database, memory, and what is said of its health."""
