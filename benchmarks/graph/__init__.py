"""The rolling graph beside its peers: one stream, one window, the same shapes."""
