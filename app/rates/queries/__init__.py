"""The SQL of the counters: `conditions` says what is counted, `counting` keeps it, `reading` gives it."""
