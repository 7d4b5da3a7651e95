"""Who is who on the day: what the registry says of accounts, parties, products and groups."""
