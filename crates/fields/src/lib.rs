//! The table of every field that Falco can ask for: name, type, argument, meaning, and when it is absent.
//!
//! The plugin registers its fields from this table, `tfdrift fields` prints it, and `docs/fields.md` holds it: one
//! source, so the three cannot differ. What a `ct.*` field holds is computed in `tfdrift_cloudtrail::ct`.
#![forbid(unsafe_code)]

mod ct;
mod render;
mod tf;

pub use ct::CT_FIELDS;
pub use render::{to_json, to_markdown};
pub use tf::TF_FIELDS;

/// The type of a field's value, as Falco's rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text.
    String,
    /// An unsigned number of 64 bits.
    U64,
    /// True or false.
    Bool,
    /// A list of texts; takes `in`, `intersects` and `exists` only.
    StringList,
}

impl Kind {
    /// The word in the table: `string`, `uint64`, `bool`, `list`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::U64 => "uint64",
            Kind::Bool => "bool",
            Kind::StringList => "list",
        }
    }
}

/// What may stand in brackets after the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arg {
    /// Nothing.
    None,
    /// A text, or nothing.
    OptionalKey,
    /// A text.
    RequiredKey,
    /// A number from 0, or nothing.
    OptionalIndex,
}

impl Arg {
    /// The word in the table; empty for none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Arg::None => "",
            Arg::OptionalKey => "[key]?",
            Arg::RequiredKey => "[key]",
            Arg::OptionalIndex => "[index]?",
        }
    }
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The record alone: `ct.*`, `s3.*`, `ec2.*`, `ecr.*`, `iam.*`.
    Ct,
    /// The record and the Terraform states: `tf.*`.
    Tf,
}

impl Group {
    /// `ct` or `tf`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Group::Ct => "ct",
            Group::Tf => "tf",
        }
    }
}

/// Marks that Falco and its viewers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// Names a side of a conversation.
    Conversation,
    /// Belongs in the column with a summary.
    Info,
    /// Not shown unless asked for.
    Hidden,
}

impl Property {
    /// The mark as Falco's plugin API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Property::Conversation => "conversation",
            Property::Info => "info",
            Property::Hidden => "hidden",
        }
    }
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDef {
    /// The name in rules and output.
    pub name: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// What may stand in brackets.
    pub arg: Arg,
    /// What the value is; Markdown, one line.
    pub description: &'static str,
    /// When there is no value (Falco prints `<NA>`); Markdown, one line.
    pub absent: &'static str,
    /// Where the value comes from.
    pub group: Group,
    /// Marks.
    pub properties: &'static [Property],
    /// `0.17.1` for fields that the Go plugin of that version has, else the first version of ours.
    pub since: &'static str,
}

/// How many fields there are.
const COUNT: usize = CT_FIELDS.len() + TF_FIELDS.len();

static ALL: [FieldDef; COUNT] = {
    let mut all = [CT_FIELDS[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < CT_FIELDS.len() { CT_FIELDS[at] } else { TF_FIELDS[at - CT_FIELDS.len()] };
        at += 1;
    }
    all
};

/// All fields: first those of the record, then those of Terraform, each in the order in which Falco lists them.
pub static FIELDS: &[FieldDef] = &ALL;

/// The field of that name.
pub fn find(name: &str) -> Option<&'static FieldDef> {
    FIELDS.iter().find(|field| field.name == name)
}
