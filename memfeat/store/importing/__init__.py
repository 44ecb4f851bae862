"""Features that others computed, brought into a store: one format per file."""
