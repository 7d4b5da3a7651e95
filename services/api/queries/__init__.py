"""Every SELECT of the API, one module a resource.

The SQL is constant text; what varies are parameters. `any_x` is 1 when no x was chosen. Whatever
is read for a caller carries his scope, by one of these two lines:

    (%(all_sectors)s OR sector IN %(sectors)s) AND (%(all_regions)s OR hasAny(regions, %(regions)s))
    (%(all_feeds)s OR feed_id IN %(feeds)s)

A query without one reads only what a scoped query before it named.
"""
