"""The command line, and the embedded runner that puts every service in one process."""
