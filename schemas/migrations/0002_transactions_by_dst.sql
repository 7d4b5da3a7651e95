-- The same transactions in the order in which a payee's inflows are read: tracing backwards.
--
-- Filled by the view on every insert into transactions; nothing else writes it.
CREATE TABLE IF NOT EXISTS transactions_by_dst
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
ORDER BY (dst, ts_us, feed_id, tx_id)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS transactions_to_by_dst TO transactions_by_dst AS
SELECT
    tx_id, ts_us, src, dst, amount_minor, currency, purpose, product, channel, src_bank, dst_bank,
    instruction, reversal_of, feed_id, batch_id, appended_us
FROM transactions;
