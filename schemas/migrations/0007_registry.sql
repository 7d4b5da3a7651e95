-- Every version of every registry record. body is one record of schemas.registry.
--
-- key is schemas.registry.key_of: what is described, without its validity. A row holds from
-- valid_from_us (inclusive) to valid_to_us (exclusive). Of equal key and valid_from_us the row
-- appended last wins. A column that its kind does not have is ''; of a relation party_id is its
-- from_id and to_party_id its to_id. regions: an institution's registered and operating regions.
CREATE TABLE IF NOT EXISTS registry
(
    kind String,
    key String,
    valid_from_us Int64,
    valid_to_us Int64,
    institution_id String,
    party_id String,
    to_party_id String,
    account_id String,
    product_id String,
    role String,
    name String,
    sector String,
    regions Array(String),
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (kind, key, valid_from_us)
SETTINGS index_granularity = 1024;
