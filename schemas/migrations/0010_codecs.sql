-- Smaller columns where the server can: times as differences, random and textual columns by ZSTD.
--
-- LZ4, the default, finds little in hex digits; ZSTD brings a token back to about its 16 bytes.
-- requires: 20.1
ALTER TABLE transactions
    MODIFY COLUMN tx_id CODEC(ZSTD(1)),
    MODIFY COLUMN ts_us CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN src CODEC(ZSTD(1)),
    MODIFY COLUMN dst CODEC(ZSTD(1)),
    MODIFY COLUMN batch_id CODEC(ZSTD(1));

ALTER TABLE transactions_by_dst
    MODIFY COLUMN tx_id CODEC(ZSTD(1)),
    MODIFY COLUMN ts_us CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN src CODEC(ZSTD(1)),
    MODIFY COLUMN dst CODEC(ZSTD(1)),
    MODIFY COLUMN batch_id CODEC(ZSTD(1));

ALTER TABLE alerts MODIFY COLUMN body CODEC(ZSTD(3));

ALTER TABLE alert_versions MODIFY COLUMN body CODEC(ZSTD(3));

ALTER TABLE risk_scores MODIFY COLUMN body CODEC(ZSTD(3));

ALTER TABLE receipts MODIFY COLUMN body CODEC(ZSTD(3));

ALTER TABLE rejects MODIFY COLUMN body CODEC(ZSTD(3));

ALTER TABLE registry MODIFY COLUMN body CODEC(ZSTD(3));
