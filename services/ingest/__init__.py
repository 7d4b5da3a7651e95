"""From a custody bank's feed to columnar batches on the log."""
