-- The newest version of each alert: what lists are filtered by, and the whole record as JSON.
--
-- body is schemas.alert.Alert. A list reads the filter columns under FINAL, then the bodies of its
-- page by alert_id, because FINAL reads every column named for every row it looks at.
-- institution_id, sector: '' where the alert names none.
CREATE TABLE IF NOT EXISTS alerts
(
    alert_id String,
    version UInt64,
    typology String,
    subject_kind String,
    subject_id String,
    institution_id String,
    sector String,
    regions Array(String),
    accounts Array(String),
    episode_us Int64,
    first_us Int64,
    last_us Int64,
    detected_us Int64,
    amount_minor Int64,
    currency String,
    confidence UInt8,
    severity String,
    severity_points UInt8,
    rule_version String,
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY alert_id
SETTINGS index_granularity = 1024;
