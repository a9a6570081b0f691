//! One CloudTrail record as a borrowed view: members, actor, tool, time; and splitting an object into records
