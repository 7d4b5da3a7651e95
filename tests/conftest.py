"""Plugins with the real servers; hypothesis without deadlines, since no test judges the clock."""

from hypothesis import settings

pytest_plugins = ["tests.plugins.clickhouse", "tests.plugins.kafka", "tests.plugins.deployed"]

settings.register_profile("lookthrough", deadline=None)
settings.load_profile("lookthrough")
