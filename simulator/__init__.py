"""A believable custody-bank world with planted, labelled misconduct. Knows nothing of the detector."""
