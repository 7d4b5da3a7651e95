"""What an alert of each typology says in Chinese and English, for a supervisor to read."""
