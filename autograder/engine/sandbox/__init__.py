"""The walls around a student's code, and what the two sides say to each other."""
