-- Transactions as ingest let them in, in the order in which a payer's outflows are read.
--
-- Every record has the identity (feed_id, tx_id); the payer and time before it make "what did this
-- account pay in that period" a range read. A record delivered to several partitions, or inserted
-- again after a crash, is one row under FINAL.
-- src, dst: tokens as 32 lower-case hex digits (schemas/account.py). *_us: UTC microseconds.
-- purpose: the number of schemas.transaction.Purpose. appended_us: when the log took the batch.
-- Partitions are 30 days of ts_us itself, so that a condition on ts_us alone prunes them; granules
-- are small because a trace reads many accounts, a few rows of each.
CREATE TABLE IF NOT EXISTS transactions
(
    tx_id String,
    ts_us Int64,
    src String,
    dst String,
    amount_minor Int64,
    currency String,
    purpose Int8,
    product String,
    channel String,
    src_bank String,
    dst_bank String,
    instruction String,
    reversal_of String,
    feed_id String,
    batch_id String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
PARTITION BY intDiv(ts_us, 2592000000000)
ORDER BY (src, ts_us, feed_id, tx_id)
SETTINGS index_granularity = 1024;
