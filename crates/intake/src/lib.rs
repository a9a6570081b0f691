//! Where CloudTrail objects come from: folders, buckets; checkpoint, dedup, backpressure
