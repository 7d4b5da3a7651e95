"""The partitioned append-only log that services talk through: Kafka deployed, local files embedded."""
