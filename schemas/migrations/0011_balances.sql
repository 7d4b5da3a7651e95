-- What was stated of accounts' balances: by their banks (booked), and by institutions of what they owe
-- their clients (clients), in minor units, as of the instant after everything up to as_of_us.
--
-- Of equal account, kind, currency and as_of_us the row appended last wins: a correction.
CREATE TABLE IF NOT EXISTS balances
(
    account String,
    balance_kind String,
    currency String,
    as_of_us Int64,
    balance_minor Int64,
    feed_id String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (account, balance_kind, currency, as_of_us)
SETTINGS index_granularity = 1024;
