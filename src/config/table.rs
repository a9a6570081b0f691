//! Every setting of `init_config`: name, values, default, meaning. The checks, the schema that Falco shows and
//! `docs/configuration.md` are made from this table, so that they cannot disagree.

use super::spec::{Form, Key, Kind};

/// Largest number of bytes or entries that a setting takes: 1 TiB.
const BIG: u64 = 1 << 40;
/// Longest interval that a setting takes: a week.
const WEEK_SECS: u64 = 7 * 86_400;

const fn secs(min: u64) -> Kind {
    Kind::Int { min, max: WEEK_SECS }
}
const fn bytes(min: u64) -> Kind {
    Kind::Int { min, max: BIG }
}

/// All settings, in the order of the documentation.
pub const KEYS: &[Key] = &[
    Key::new(
        "compat",
        Kind::Word(&["normal", "strict"]),
        r#""normal""#,
        "`strict` repeats the oddities of the Go cloudtrail plugin's `ct.*` fields; see docs/fields.md.",
    ),
    Key::new(
        "log_level",
        Kind::Word(&["error", "warn", "info", "debug", "trace"]),
        r#""info""#,
        "How much the plugin writes to stderr.",
    ),
    Key::new(
        "mappings",
        Kind::Text,
        r#""""#,
        "Folder of TOML files that add to the built-in operations or override them.",
    ),
    Key::new(
        "s3DownloadConcurrency",
        Kind::Int { min: 1, max: 1024 },
        "32",
        "How many objects are fetched at once. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "s3Interval",
        Kind::Form(Form::Interval),
        r#""""#,
        "Only objects whose name carries a time within this interval: `START` or `START-END`, each like `2h`, `3d` or \
         `2026-01-31T00:00:00Z`. With an end it implies `?once`. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "s3AccountList",
        Kind::Form(Form::Accounts),
        r#""""#,
        "Only these accounts of an organisation trail, with commas between. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "sqsDelete",
        Kind::Bool,
        "true",
        "Delete a message once its records were handed out; `false` never deletes. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "useS3SNS",
        Kind::Bool,
        "false",
        "Accepted and not needed: the form of a message is recognised. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "sqsOwnerAccount",
        Kind::Text,
        r#""""#,
        "Account that owns the queue, when it is not the caller's. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new(
        "useAsync",
        Kind::Bool,
        "true",
        "Accepted, without effect: extraction needs no worker here. (A key of the Go cloudtrail plugin.)",
    ),
    Key::new("aws", Kind::Section(AWS), "{}", "How AWS is reached, and as whom."),
    Key::new("source", Kind::Section(SOURCE), "{}", "How CloudTrail records are read."),
    Key::new("state", Kind::Section(STATE), "{}", "Where the Terraform states live."),
    Key::new("drift", Kind::Section(DRIFT), "{}", "What counts as drift."),
];

/// The links of the credential chain, in their usual order.
pub const CHAIN: &[&str] = &["environment", "profile", "web_identity", "container", "imds"];

/// The section `aws`, also of a place.
pub const AWS: &[Key] = &[
    Key::new(
        "profile",
        Kind::Text,
        r#""""#,
        "Profile of the shared files; empty: `AWS_PROFILE`, else `default`. A profile named here is the only link asked, unless `chain` is given too.",
    ),
    Key::new(
        "region",
        Kind::Text,
        r#""""#,
        "Region; empty: from the environment, the profile or the bucket itself.",
    ),
    Key::new(
        "config",
        Kind::Text,
        r#""""#,
        "Shared config file; empty: `AWS_CONFIG_FILE`, else `~/.aws/config`.",
    ),
    Key::new(
        "credentials",
        Kind::Text,
        r#""""#,
        "Shared credentials file; empty: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.",
    ),
    Key::new(
        "chain",
        Kind::Words(CHAIN),
        r#"["environment","profile","web_identity","container","imds"]"#,
        "Where credentials are looked for, in this order; leave a link out to switch it off.",
    )
    // with `profile` and without `chain`, the profile alone is asked
    .not_filled_in(),
    Key::new("assume_role", Kind::Sections(ASSUME_ROLE), "[]", "Roles to assume, one after the other."),
    Key::new("endpoint_url", Kind::Text, r#""""#, "Endpoint of a server that is not AWS."),
    Key::new("path_style", Kind::Bool, "false", "Bucket in the path instead of the host name."),
    Key::new("fips", Kind::Bool, "false", "Use FIPS endpoints."),
    Key::new("dual_stack", Kind::Bool, "false", "Use IPv4 and IPv6 endpoints."),
    Key::new("proxy_url", Kind::Text, r#""""#, "HTTP proxy; empty: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`."),
    Key::new(
        "ca_bundle",
        Kind::Text,
        r#""""#,
        "PEM file of authorities to trust; empty: `AWS_CA_BUNDLE`, the system's, else built-in ones.",
    ),
];

const ASSUME_ROLE: &[Key] = &[
    Key::new("role_arn", Kind::Text, r#""""#, "ARN of the role.").required(),
    Key::new("external_id", Kind::Text, r#""""#, "External id that the role's trust policy asks for."),
    Key::new("session_name", Kind::Text, r#""tfdrift""#, "Name of the session, as CloudTrail will show it."),
];

const SOURCE: &[Key] = &[
    Key::new(
        "since",
        Kind::Form(Form::Since),
        r#""now""#,
        "Where to start in a bucket without a checkpoint: `now`, a time ago like `12h` or `7d`, or a time like \
         `2026-01-31T00:00:00Z`. `?since=` in the open parameters beats it, a checkpoint beats both. With `?once` and `now`, \
         all is read, as it always is from files.",
    ),
    Key::new(
        "order",
        Kind::Word(&["oldest_first", "newest_first"]),
        r#""oldest_first""#,
        "Which objects come first when there is a backlog.",
    ),
    Key::new("accounts", Kind::Forms(Form::Account), "[]", "Only these accounts; empty: all."),
    Key::new("regions", Kind::Texts, "[]", "Only these regions; empty: all."),
    Key::new("poll_interval_secs", secs(1), "30", "Seconds between two looks for new objects."),
    Key::new("late_window_secs", secs(0), "3600", "Seconds for which late objects are still looked for."),
    Key::new(
        "on_open_error",
        Kind::Word(&["retry", "fail"]),
        r#""retry""#,
        "`retry`: missing credentials, permissions or network are logged and tried again. `fail`: they stop Falco at open.",
    ),
    Key::new(
        "checkpoint_dir",
        Kind::Text,
        r#""/var/lib/tfdrift""#,
        "Folder that remembers what was handed out. What ends by itself (files, `?once`) keeps no checkpoint.",
    ),
    Key::new(
        "dedup_entries",
        Kind::Int { min: 0, max: 100_000_000 },
        "1000000",
        "How many event ids are remembered to drop duplicates; 0: none.",
    ),
    Key::new(
        "max_buffer_bytes",
        bytes(1 << 20),
        "67108864",
        "Bytes of records read ahead of Falco, at most.",
    ),
    Key::new(
        "max_object_bytes",
        bytes(1),
        "268435456",
        "Largest object as stored; larger ones go to quarantine.",
    ),
    Key::new("max_inflated_bytes", bytes(1), "2147483648", "Largest object once inflated."),
    Key::new(
        "max_record_bytes",
        Kind::Int { min: 1024, max: 1 << 30 },
        "1048576",
        "Largest record; larger ones are counted and kept in quarantine.",
    ),
    Key::new(
        "batch_records",
        Kind::Int { min: 1, max: 65_536 },
        "512",
        "Records handed to Falco at once, at most.",
    ),
    Key::new(
        "visibility_timeout_secs",
        Kind::Int { min: 0, max: 43_200 },
        "300",
        "Seconds for which a received message is hidden from other readers of the queue.",
    ),
    Key::new(
        "object_retries",
        Kind::Int { min: 0, max: 1000 },
        "5",
        "How often a broken object is tried again before it stays in quarantine.",
    ),
];

const STATE: &[Key] = &[
    Key::new(
        "places",
        Kind::Sections(PLACE),
        "[]",
        "Where states live; each with one of the keys `file` to `auto`.",
    ),
    Key::new("poll_interval_secs", secs(1), "60", "Seconds between two looks at a place."),
    Key::new(
        "first_load_timeout_secs",
        secs(0),
        "30",
        "Seconds for which events are held back until all states were read once.",
    ),
    Key::new(
        "history_cache_bytes",
        bytes(0),
        "134217728",
        "Bytes of memory for older versions of states in versioned S3 buckets: an event is judged by the states as they \
         stood at its time; 0: always by the newest.",
    ),
    Key::new(
        "config",
        Kind::Texts,
        "[]",
        "Folders of Terraform configuration or a plan's JSON, for owner, source line and `ignore_changes`.",
    ),
    Key::new("mask_names", Kind::Texts, "[]", "More attribute names whose values are secret."),
];

/// Kinds of places: the key that says where a state lives.
pub const PLACE_KINDS: &[&str] = &["file", "dir", "s3", "gcs", "azurerm", "http", "hcp", "auto"];

const PLACE: &[Key] = &[
    Key::new("file", Kind::Text, "", "One state file."),
    Key::new("dir", Kind::Text, "", "A folder of state files, with its sub-folders."),
    Key::new("s3", Kind::TextOrMap, "", "`s3://bucket/key`, or the keys of Terraform's `s3` backend."),
    Key::new("gcs", Kind::TextOrMap, "", "`gs://bucket/prefix`, or the keys of the `gcs` backend."),
    Key::new("azurerm", Kind::TextOrMap, "", "The keys of the `azurerm` backend."),
    Key::new("http", Kind::TextOrMap, "", "An address, or the keys of the `http` backend (GitLab's too)."),
    Key::new("hcp", Kind::TextOrMap, "", "`organization/workspace`, or the keys of the `cloud` block."),
    Key::new("auto", Kind::Text, "", "A Terraform folder; its backend is read as `terraform` would."),
    Key::new("name", Kind::Text, r#""""#, "What `tf.state` shows; empty: made from the place."),
    Key::new(
        "account",
        Kind::Form(Form::Account),
        r#""""#,
        "AWS account of its resources, where the state does not say.",
    ),
    Key::new("region", Kind::Text, r#""""#, "AWS region of its resources, where the state does not say."),
    Key::new("workspace", Kind::Text, r#""""#, "Workspace; empty: all, or `default` for a single state."),
    // no default: a place without it is reached as all are
    Key::new("aws", Kind::Section(AWS), "", "As the section `aws`, for this place alone."),
];

const DRIFT: &[Key] = &[
    Key::new(
        "roles",
        Kind::Texts,
        "[]",
        "ARNs of the roles that Terraform runs as; `*` stands for any text. Without them a user agent alone makes a change \
         expected.",
    ),
    Key::new(
        "ignore_defaults",
        Kind::Bool,
        "true",
        "Leave out what AWS services change by themselves, such as an autoscaling group's desired capacity.",
    ),
    Key::new(
        "ignore",
        Kind::Sections(IGNORE),
        "[]",
        "Changes that are no drift; all keys of an entry must match.",
    ),
];

const IGNORE: &[Key] = &[
    Key::new("address", Kind::Text, r#""""#, "Resource address; `*` stands for any text."),
    Key::new(
        "attribute",
        Kind::Text,
        r#""""#,
        "Top-level attribute, or a path into it such as `tags.Backup`; empty: the resource as a whole.",
    ),
    Key::new("actor", Kind::Text, r#""""#, "Who did it; `*` stands for any text."),
    Key::new(
        "operation",
        Kind::Text,
        r#""""#,
        "`eventName` without a version suffix; `*` stands for any text.",
    ),
    Key::new("until", Kind::Form(Form::Day), r#""""#, "Last day on which it holds, by the event's own time."),
    Key::new("reason", Kind::Text, r#""""#, "Why this is no drift; `tfdrift scan --explain` shows it.")
        .required(),
];

/// The keys of a place.
pub(super) fn place_keys() -> &'static [Key] {
    PLACE
}
