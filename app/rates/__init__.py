"""The four rates of divisions and units, counted by one statement that a test holds equal to domain.rates."""
