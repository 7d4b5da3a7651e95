-- Records that were not let in, whole, so that they can be repaired. body is schemas.reject.Reject.
--
-- The row appended last wins: it says whether the record was sent again since.
CREATE TABLE IF NOT EXISTS rejects
(
    feed_id String,
    reject_id String,
    batch_id String,
    record_number UInt64,
    tx_id String,
    field String,
    reason String,
    received_us Int64,
    status String,
    resent_as String,
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (feed_id, reject_id)
SETTINGS index_granularity = 1024;
