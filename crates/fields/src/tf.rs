//! Fields that put the record and the Terraform states together.

use crate::{Arg, FieldDef, Group, Kind};

const WITH_MANAGED: &str = "`tf.managed` is absent";
const NO_RESOURCE: &str = "no managed resource is acted on";
const NO_ATTR: &str = "nothing differs";

const fn field(name: &'static str, kind: Kind, description: &'static str, absent: &'static str) -> FieldDef {
    FieldDef {
        name,
        kind,
        arg: Arg::None,
        description,
        absent,
        group: Group::Tf,
        properties: &[],
        since: "0.1.0",
    }
}

const fn text(name: &'static str, description: &'static str, absent: &'static str) -> FieldDef {
    field(name, Kind::String, description, absent)
}

const fn with_arg(arg: Arg, field: FieldDef) -> FieldDef {
    FieldDef { arg, ..field }
}

/// The fields about Terraform.
pub const TF_FIELDS: &[FieldDef] = &[
    field(
        "tf.managed",
        Kind::Bool,
        "True if a state holds a resource that this record acts on, also if the call failed. False for read-only records.",
        "no state has been read yet",
    ),
    field(
        "tf.drift",
        Kind::Bool,
        "True if the resource is managed, the call succeeded, Terraform did not make it, and the resource now differs from its state or is gone.",
        WITH_MANAGED,
    ),
    text(
        "tf.kind",
        "`modified`, `deleted`, `unmanaged` (created outside Terraform) or `touched` (managed and acted on, but no attribute that Terraform sees is known to change).",
        "the call failed, or everything is as in the state",
    ),
    text(
        "tf.change",
        "What was done: `create` `update` `delete` `tag` `attach` `detach` `action`.",
        "neither a managed resource is acted on nor one created",
    ),
    text(
        "tf.address",
        "The resource acted on, such as `module.web[\"a\"].aws_instance.db[0]`. With several the first: resources acted on before mirrors, each sorted.",
        NO_RESOURCE,
    ),
    field("tf.addresses", Kind::StringList, "All of them, in that order.", NO_RESOURCE),
    text(
        "tf.type",
        "Type of `tf.address`, such as `aws_security_group`; of what was created, where `tf.kind` is `unmanaged`.",
        NO_RESOURCE,
    ),
    text("tf.name", "Name of `tf.address` in the configuration.", NO_RESOURCE),
    text("tf.module", "Module of `tf.address`, such as `module.web[\"a\"]`.", "it is in the root module"),
    text(
        "tf.id",
        "Attribute `id` of `tf.address`; of what was created, where `tf.kind` is `unmanaged`.",
        "it has none",
    ),
    text("tf.arn", "Attribute `arn` of `tf.address`.", "it has none"),
    text("tf.provider", "Provider of `tf.address`.", NO_RESOURCE),
    field(
        "tf.attrs",
        Kind::StringList,
        "Names of the top-level attributes that differ (`tags_all` only where `tags` does not).",
        NO_ATTR,
    ),
    with_arg(
        Arg::OptionalKey,
        text(
            "tf.attr_diff",
            "One line to read: `ingress: + tcp/22 from 0.0.0.0/0; tags.Env: \"prod\" -> \"dev\"`. With a key one attribute, or a path into it (`tags.Env`).",
            NO_ATTR,
        ),
    ),
    with_arg(
        Arg::RequiredKey,
        text(
            "tf.attr_old",
            "The attribute's value in the state; JSON unless it is a plain scalar. Values that the state marks as sensitive are masked.",
            "it does not differ, or the state has none",
        ),
    ),
    with_arg(
        Arg::RequiredKey,
        text(
            "tf.attr_new",
            "The attribute's value after the change, in the same form.",
            "it does not differ, or is gone",
        ),
    ),
    text(
        "tf.attr_diff_json",
        "`{\"ingress\":{\"old\":…,\"new\":…,\"certain\":true}}` for every attribute that differs.",
        NO_ATTR,
    ),
    text(
        "tf.via",
        "The tool: `terraform` `opentofu` `console` `cli` `sdk` `service` `unknown`. Told by user agent and identity: the first can be forged.",
        "never",
    ),
    field(
        "tf.expected",
        Kind::Bool,
        "True for a call with Terraform's or OpenTofu's user agent, made with one of `drift.roles` where those are configured.",
        WITH_MANAGED,
    ),
    text(
        "tf.actor",
        "The person or machine: name of an SSO or role session, IAM user, `root`, service.",
        "the identity names nobody",
    ),
    text(
        "tf.severity",
        "`critical` `high` `medium` `low`, from attribute and value: the highest of all resources.",
        "nothing differs, was touched or created",
    ),
    text(
        "tf.confidence",
        "How the change was understood: `core` (by hand and tested), `generated`, `id-only` (only that the resource was named; also where account or region of the state is not known).",
        NO_RESOURCE,
    ),
    field(
        "tf.reconciled",
        Kind::Bool,
        "True if the state was written after the event, so that Terraform has probably seen the change.",
        "no managed resource is acted on, or the time of the state is not known",
    ),
    text("tf.state", "The state that holds `tf.address`.", NO_RESOURCE),
    text("tf.workspace", "Workspace of that state.", "it is not known"),
    text("tf.owner", "Owner of the resource, from the configuration.", "it is not known"),
    text(
        "tf.source",
        "`file.tf:line` of the resource, from the configuration; in a module from elsewhere, of the module's call, with its source.",
        "the configuration is not known",
    ),
    field("tf.serial", Kind::U64, "Serial of that state.", NO_RESOURCE),
];
