//! drift(record, snapshot): which Terraform resources a CloudTrail record changes, and how
