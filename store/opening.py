"""The store that the settings name."""

from __future__ import annotations

from store.clickhouse import ServerDatabase
from store.database import Database
from store.settings import Folder, Server


def open_database(where: Server | Folder) -> Database:
    """A server is connected to when first used; a folder is opened now.

    Raises Unavailable when another process holds the folder.
    """
    if isinstance(where, Folder):
        # chDB takes 0.2 s and 170 MB to load, which a server's client does not need.
        from store.embedded import EmbeddedDatabase

        return EmbeddedDatabase(where.path)
    return ServerDatabase(where)
