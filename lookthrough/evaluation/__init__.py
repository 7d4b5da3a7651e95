"""How well the detector does on labelled data: what it found, missed, and raised in error."""
