"""What every feature stands on: database, clock, queue, outgoing HTTP. Knows nothing of tickets."""
