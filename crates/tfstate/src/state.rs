//! One state, read and indexed.

use crate::arena::{Arena, Span};
use crate::index::KeyIndex;

/// What is known about a state besides its bytes: where it lies and what the configuration says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateMeta {
    /// Name shown to people (`tf.state`) and used in errors: the file's path, `s3://bucket/key`, or the name given
    /// in the configuration.
    pub name: String,
    /// AWS account of resources whose attributes do not say. 12 digits.
    pub account: Option<String>,
    /// AWS region of resources whose attributes do not say.
    pub region: Option<String>,
    /// Terraform workspace.
    pub workspace: Option<String>,
    /// When the state was written, in nanoseconds since the epoch: the file's or object's modification time. A
    /// state itself does not say.
    pub written_at_ns: Option<u64>,
    /// Attributes to mask beyond the known ones; see [`Masker`](crate::Masker) for their form.
    pub mask_names: Vec<String>,
}

impl StateMeta {
    /// Only a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// One resource instance. Texts are spans or symbols of the state's arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) address: Span,
    pub(crate) attributes: Span,
    pub(crate) id: Option<Span>,
    pub(crate) arn: Option<Span>,
    pub(crate) rtype: Symbol,
    pub(crate) name: Symbol,
    pub(crate) module: Symbol,
    pub(crate) provider: Symbol,
    pub(crate) account: Symbol,
    pub(crate) region: Symbol,
    /// Place in `State::sensitive`.
    pub(crate) sensitive: u32,
    /// Place in `State::dependencies`.
    pub(crate) dependencies: u32,
    pub(crate) flags: u8,
}

/// Flags of an [`Entry`].
pub(crate) mod flag {
    /// A managed resource, not a data source.
    pub(crate) const MANAGED: u8 = 1;
    /// Of HashiCorp's AWS provider.
    pub(crate) const AWS: u8 = 2;
    /// Marked as tainted: the next apply replaces it.
    pub(crate) const TAINTED: u8 = 4;
}

/// A text that many instances share: place in `State::symbols`. 0 is no text.
pub(crate) type Symbol = u32;

/// One state: its resources and the index over them. Immutable; share it as `Arc<State>`.
pub struct State {
    pub(crate) meta: StateMeta,
    pub(crate) serial: Option<u64>,
    pub(crate) lineage: Option<String>,
    pub(crate) terraform_version: Option<String>,
    pub(crate) arena: Arena,
    pub(crate) symbols: Box<[Span]>,
    pub(crate) entries: Box<[Entry]>,
    pub(crate) index: KeyIndex,
    /// Distinct lists of sensitive paths. 0 is the empty list.
    pub(crate) sensitive: Box<[Box<[Box<str>]>]>,
    /// Distinct lists of dependencies. 0 is the empty list.
    pub(crate) dependencies: Box<[Box<[Symbol]>]>,
    pub(crate) warnings: Vec<String>,
    pub(crate) managed: usize,
    pub(crate) left_out: usize,
}

impl State {
    /// Name as given in [`StateMeta`].
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// What was said about the state when it was read.
    pub fn meta(&self) -> &StateMeta {
        &self.meta
    }

    /// Terraform workspace, where known.
    pub fn workspace(&self) -> Option<&str> {
        self.meta.workspace.as_deref()
    }

    /// Serial: grows with every write. Absent in `show -json` output.
    pub fn serial(&self) -> Option<u64> {
        self.serial
    }

    /// Lineage: a UUID given when the state was created. Absent in `show -json` output.
    pub fn lineage(&self) -> Option<&str> {
        self.lineage.as_deref()
    }

    /// Version of the Terraform or OpenTofu that wrote the state.
    pub fn terraform_version(&self) -> Option<&str> {
        self.terraform_version.as_deref()
    }

    /// When the state was written, in nanoseconds since the epoch, where known.
    pub fn written_at_ns(&self) -> Option<u64> {
        self.meta.written_at_ns
    }

    /// Number of resource instances kept: managed ones of every provider and data sources, without deposed
    /// objects.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the state holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of managed resource instances, of every provider.
    pub fn managed_len(&self) -> usize {
        self.managed
    }

    /// Number of resources and instances that could not be read: no change of them is found. [`State::warnings`] names them.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What is odd about the state though it could be read, such as an address that stands in it twice.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Bytes held in memory, without allocator overhead.
    pub fn resident_bytes(&self) -> usize {
        self.arena.bytes()
            + self.entries.len() * size_of::<Entry>()
            + self.symbols.len() * size_of::<Span>()
            + self.index.len() * 13
    }

    pub(crate) fn symbol(&self, symbol: Symbol) -> Option<&str> {
        if symbol == 0 {
            return None;
        }
        self.symbols.get(symbol as usize).map(|&span| self.arena.get(span))
    }
}

/// Without attributes: a state is full of secrets.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("name", &self.meta.name)
            .field("serial", &self.serial)
            .field("lineage", &self.lineage)
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}
