-- Every risk score of every institution, by event time. body is schemas.risk.RiskScore.
CREATE TABLE IF NOT EXISTS risk_scores
(
    institution_id String,
    at_us Int64,
    sector String,
    regions Array(String),
    score UInt8,
    risk_class String,
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (institution_id, at_us)
SETTINGS index_granularity = 1024;
