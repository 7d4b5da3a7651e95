-- Messages of the log that could not be read as what their topic carries, whole, and why.
--
-- Nothing of ours writes one: a row here is an alarm. key_base64 and value_base64 are the bytes.
CREATE TABLE IF NOT EXISTS unreadable_messages
(
    topic String,
    log_partition Int64,
    log_offset Int64,
    reason String,
    key_base64 String,
    value_base64 String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (topic, log_partition, log_offset)
SETTINGS index_granularity = 1024;
