"""The exercises, one module a topic; never imported beside a student's code."""
