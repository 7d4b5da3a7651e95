"""What crosses a boundary: records, columnar batches, topics, errors, law, migrations.

The ground floor. It imports no service and no library of ours; everything else imports it.
"""
