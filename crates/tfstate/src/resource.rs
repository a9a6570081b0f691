//! One resource of a snapshot.

use std::borrow::Cow;

use crate::configured::{Configured, ConfiguredMap};
use crate::mask::Masker;
use crate::provider;
use crate::state::{Entry, State, flag};

/// One resource instance in a state.
#[derive(Clone, Copy)]
pub struct Resource<'s> {
    pub(crate) state: &'s State,
    pub(crate) entry: &'s Entry,
    pub(crate) configured: &'s ConfiguredMap,
}

impl<'s> Resource<'s> {
    /// Address as Terraform prints it: `module.web["a"].aws_instance.db[0]`.
    pub fn address(&self) -> &'s str {
        self.state.arena.get(self.entry.address)
    }

    /// Type: `aws_instance`.
    pub fn rtype(&self) -> &'s str {
        self.state.symbol(self.entry.rtype).unwrap_or_default()
    }

    /// Name in the configuration: `db`.
    pub fn name(&self) -> &'s str {
        self.state.symbol(self.entry.name).unwrap_or_default()
    }

    /// Address of the module: `module.web["a"]`. Absent in the root module.
    pub fn module(&self) -> Option<&'s str> {
        self.state.symbol(self.entry.module)
    }

    /// Source address of the provider: `registry.terraform.io/hashicorp/aws`; `aws` in states of Terraform 0.12.
    pub fn provider(&self) -> &'s str {
        provider::source(self.state.symbol(self.entry.provider).unwrap_or_default())
    }

    /// Alias of the provider's configuration. Absent for the default one, and in `show -json` output.
    pub fn provider_alias(&self) -> Option<&'s str> {
        provider::alias(self.state.symbol(self.entry.provider)?)
    }

    /// The attribute `id`, even if it is sensitive: [`Resource::shown`] is for output. Absent where the type has none, or it is null or empty.
    pub fn id(&self) -> Option<&'s str> {
        self.entry.id.map(|span| self.state.arena.get(span))
    }

    /// The attribute `arn`, even if it is sensitive: [`Resource::shown`] is for output. Absent where the type has none, or it is null or empty.
    pub fn arn(&self) -> Option<&'s str> {
        self.entry.arn.map(|span| self.state.arena.get(span))
    }

    /// AWS account: from the ARN, `identity.account_id`, what was said of the state, or the one account in which all other
    /// resources of its provider are. Absent when none says.
    pub fn account(&self) -> Option<&'s str> {
        self.state.symbol(self.entry.account)
    }

    /// AWS region: attribute `region`, the ARN, `identity.region`, what was said of the state, or the one region in which
    /// all other resources of its provider are. Absent when none
    /// says, and for resources of global services (an ARN without a region, other than S3's).
    pub fn region(&self) -> Option<&'s str> {
        self.state.symbol(self.entry.region)
    }

    /// All attributes as compact JSON, always an object that serde_json can read. In place of a sensitive scalar stands
    /// a keyed hash ([`same_secret`](crate::same_secret) compares it). Documents within texts stay, secrets and all:
    /// use [`Resource::mask`] before anything leaves the process.
    pub fn attributes_json(&self) -> &'s str {
        self.state.arena.get(self.entry.attributes)
    }

    /// What of this resource must not be shown.
    pub fn masker(&self) -> Masker<'s> {
        let marked =
            self.state.sensitive.get(self.entry.sensitive as usize).map(|l| &**l).unwrap_or_default();
        Masker::of_resource(self.rtype(), marked, &self.state.meta.mask_names)
    }

    /// Whether `path` (dotted: `password`, `environment.0.variables.KEY`) is sensitive, lies inside something
    /// sensitive, or contains something sensitive.
    pub fn is_sensitive(&self, path: &str) -> bool {
        let masker = self.masker();
        masker.is_sensitive(path) || masker.holds_sensitive(self.attributes_json(), path)
    }

    /// `value`, standing at `path` of this resource, with every sensitive leaf replaced; see [`Masker::mask`].
    pub fn mask(&self, value: &serde_json::Value, path: &str) -> serde_json::Value {
        self.masker().mask(value, path)
    }

    /// `text`, the attribute at `path` (`id`, `arn`), as it may be shown: [`MASK`](crate::MASK) if it is sensitive.
    pub fn shown<'t>(&self, text: &'t str, path: &str) -> Cow<'t, str> {
        match self.mask(&serde_json::Value::String(text.to_owned()), path) {
            serde_json::Value::String(masked) if masked != text => Cow::Owned(masked),
            _ => Cow::Borrowed(text),
        }
    }

    /// Addresses, without instance keys, of what this resource depends on, as the state lists them.
    pub fn dependencies(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let state = self.state;
        let list = state.dependencies.get(self.entry.dependencies as usize).map(|l| &**l).unwrap_or_default();
        list.iter().filter_map(move |&symbol| state.symbol(symbol))
    }

    /// What the configuration says about it. Absent where no configuration was given or its block is not there.
    pub fn configured(&self) -> Option<&'s Configured> {
        self.configured.get(self.address())
    }

    /// Whether this is a managed resource, not a data source.
    pub fn is_managed(&self) -> bool {
        self.entry.flags & flag::MANAGED != 0
    }

    /// Whether this is of HashiCorp's AWS provider.
    pub fn is_aws(&self) -> bool {
        self.entry.flags & flag::AWS != 0
    }

    /// Whether the next apply replaces it.
    pub fn is_tainted(&self) -> bool {
        self.entry.flags & flag::TAINTED != 0
    }

    /// The state it stands in.
    pub fn state(&self) -> &'s State {
        self.state
    }
}

/// Without attributes: they hold secrets.
impl std::fmt::Debug for Resource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resource")
            .field("address", &self.address())
            .field("state", &self.state.name())
            .finish()
    }
}
