"""What supervisors read over HTTP. It reads the store and writes nothing."""
