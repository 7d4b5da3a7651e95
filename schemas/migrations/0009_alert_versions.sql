-- Every version of each alert, in order. body is schemas.alert.Alert.
--
-- Filled by the view on every insert into alerts; nothing else writes it. The first version's
-- detected_us never changes, so it is what a list of alerts is ordered and paged by.
CREATE TABLE IF NOT EXISTS alert_versions
(
    alert_id String,
    version UInt64,
    detected_us Int64,
    body String,
    appended_us UInt64
)
ENGINE = ReplacingMergeTree(appended_us)
ORDER BY (alert_id, version)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS alerts_to_alert_versions TO alert_versions AS
SELECT alert_id, version, detected_us, body, appended_us
FROM alerts;
