//! What a mapping file becomes: operations with targets.

use serde::{Deserialize, Serialize};

use crate::{Attribute, Expr};

/// What an operation does to the resource of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Makes a resource.
    Create,
    /// Changes one that is there.
    Update,
    /// Changes one that is there or makes it.
    Upsert,
    /// Removes it.
    Delete,
    /// Changes its tags.
    Tag,
    /// Does something to it that no attribute shows.
    Touch,
}

impl Effect {
    /// The key of a mapping file that stands for it.
    pub fn key(self) -> &'static str {
        match self {
            Effect::Create => "create",
            Effect::Update => "update",
            Effect::Upsert => "upsert",
            Effect::Delete => "delete",
            Effect::Tag => "tag",
            Effect::Touch => "touch",
        }
    }

    /// All of them.
    pub const ALL: [Effect; 6] =
        [Effect::Create, Effect::Update, Effect::Upsert, Effect::Delete, Effect::Tag, Effect::Touch];
}

/// How far a mapping is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Written by hand and tested.
    Core,
    /// Written by the generator.
    Generated,
    /// No mapping: an id of a managed resource stands in the parameters. Also where account or region of the state is not known.
    IdOnly,
}

/// `attribute = expression` of an identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdPart {
    /// The attribute in the state, or `*` for "id or ARN of whatever it is". A dotted path goes through lists.
    pub attribute: String,
    /// The value that it must have.
    pub value: Expr,
}

/// What a set line does with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assign {
    /// `=`: the value replaces what is there.
    Replace,
    /// `+=`: elements are added to a list, each in the place of one that has the same keys.
    Add,
    /// `-=`: elements or keys are removed.
    Remove,
    /// `|=`: a map is merged in.
    Merge,
}

/// `path OP expression [by keys]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetLine {
    /// The attribute and the way into it (`versioning.0.enabled`).
    pub path: Vec<String>,
    /// How.
    pub assign: Assign,
    /// The new value.
    pub value: Expr,
    /// For `+=` and `-=`: the attributes by which elements are the same one.
    pub by: Vec<String>,
}

/// One statement of what an operation does to one kind of resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What it does.
    pub effect: Effect,
    /// The value of `tf.change` where it is not the effect's own (`attach`, `detach`).
    pub change: Option<String>,
    /// The Terraform types; `*` alone for whatever the id belongs to.
    pub types: Vec<String>,
    /// A list in the record; the target is taken once for each element.
    pub each: Option<Expr>,
    /// The target holds only if this is true.
    pub when: Option<Expr>,
    /// Alternatives; in each all parts must hold. The first that finds something counts.
    pub ids: Vec<Vec<IdPart>>,
    /// What changes.
    pub sets: Vec<SetLine>,
    /// Only if no earlier target of the operation found a resource.
    pub fallback: bool,
    /// The resource shows what happened to another one; second where an earlier target found that one.
    pub mirror: bool,
    /// For `create` and `upsert`: the id of the new resource, where it is one of its own (not part of a parent).
    pub new: Option<Expr>,
    /// The least severity of what this target finds.
    pub severity: Option<String>,
    /// Region does not matter.
    pub global: bool,
    /// Number of the line in its file.
    pub line: u32,
}

/// An AWS operation, with everything it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// `eventSource`, e.g. `ec2.amazonaws.com`.
    pub source: String,
    /// `eventName` without a version suffix.
    pub name: String,
    /// In the order of the file.
    pub targets: Vec<Target>,
    /// Members of `requestParameters` to drop where they hold an empty text (flags in S3's URLs).
    pub ignore: Vec<String>,
    /// Where it comes from.
    pub confidence: Confidence,
    /// File in which it stands.
    pub file: String,
    /// The operation whose targets it has, if it is another name of that one.
    pub alias_of: Option<String>,
}

/// All operations, and the schema of the types that they name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Sorted by source and name.
    pub operations: Vec<Operation>,
    /// Type and its attributes, sorted by type.
    pub types: Vec<(String, Vec<(String, Attribute)>)>,
}

/// The key under which an operation is looked up: source and lower-case name.
pub fn operation_key(source: &str, name: &str) -> String {
    format!("{}:{}", source, name.to_ascii_lowercase())
}
