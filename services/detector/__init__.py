"""From columnar batches to alerts with proof, and risk scores."""
