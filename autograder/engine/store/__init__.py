"""What is kept on disk: the course, records, the journal, the gradebook."""
