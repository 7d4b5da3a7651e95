"""As-of answers from registry records: roles, owners, related parties. Pure."""
