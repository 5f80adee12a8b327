"""What an exercise is; how an answer is called, judged, named and explained; the audit."""
