"""Networks made of the references' operations."""
