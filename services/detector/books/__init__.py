"""What is remembered of the stream beyond the graph's window: bounded, and exact row by row."""
