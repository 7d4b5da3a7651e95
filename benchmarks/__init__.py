"""Speed is claimed only from here. Each module is one command and writes one file to build/bench/."""
