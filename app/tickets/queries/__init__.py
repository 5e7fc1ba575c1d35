"""The SQL of tickets: visibility (the one door), changing (lock and write), reading (lists and single views)."""
