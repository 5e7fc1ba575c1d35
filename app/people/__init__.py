"""Staff and their appointments, sign-in and sessions; citizens and their identities."""
