-- What became of each batch. body is schemas.feed.Receipt.
--
-- sequence: -1 for a batch without one. first_us, last_us: 0 for a batch without a good record.
CREATE TABLE IF NOT EXISTS receipts
(
    feed_id String,
    batch_id String,
    sequence Int64,
    format String,
    status String,
    received_us Int64,
    records UInt64,
    accepted UInt64,
    rejected UInt64,
    first_us Int64,
    last_us Int64,
    gap_before UInt64,
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (feed_id, batch_id)
SETTINGS index_granularity = 1024;
