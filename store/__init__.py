"""What is kept for reading: one interface over a ClickHouse server and chDB, same SQL."""
