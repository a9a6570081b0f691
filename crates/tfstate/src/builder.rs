//! Instances in, a [`State`] out.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use std::borrow::Cow;

use crate::arena::{Arena, Span};
use crate::compact::{Found, compact, unescape};
use crate::index::{KeyIndex, key, keyed_hash};
use crate::mask::Masker;
use crate::origin::{ArnRegion, arn_account, arn_region, is_global};
use crate::plan::{IndexPlan, Role, TypePlan};
use crate::provider;
use crate::state::{Entry, State, StateMeta, Symbol, flag};
use crate::suspect::Suspect;

/// At most this many warnings are kept: they are for people.
const MAX_WARNINGS: usize = 20;

/// One instance as the reader found it.
pub(crate) struct Instance<'i> {
    pub(crate) address: &'i str,
    pub(crate) managed: bool,
    pub(crate) rtype: &'i str,
    pub(crate) name: &'i str,
    pub(crate) module: Option<&'i str>,
    /// Provider reference, in any of its forms.
    pub(crate) provider: &'i str,
    pub(crate) tainted: bool,
    /// JSON of an object, or `null`.
    pub(crate) attributes: &'i str,
    /// Dotted paths.
    pub(crate) sensitive: Vec<Box<str>>,
    /// JSON of the identity object, where there is one.
    pub(crate) identity: Option<&'i str>,
    pub(crate) dependencies: &'i [Text<'i>],
}

/// A string of the document, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The part of `identity` that says where a resource is. Provider 6.0 writes it with nulls.
#[derive(Deserialize, Default)]
struct Identity<'a> {
    #[serde(borrow, default)]
    account_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    region: Option<Text<'a>>,
}

/// A state that cannot take more.
pub(crate) const FULL: &str = "more than 4 GiB of text";

/// Why an instance was not added.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The state cannot take more.
    Full(&'static str),
    /// Something is wrong with this one; the others count all the same.
    Odd(&'static str),
}

impl From<&'static str> for Refusal {
    fn from(limit: &'static str) -> Self {
        Refusal::Full(limit)
    }
}

/// Collects instances.
pub(crate) struct Builder<'p> {
    meta: StateMeta,
    plan: &'p IndexPlan,
    plans: FxHashMap<(Box<str>, bool), TypePlan>,
    arena: Arena,
    symbols: Vec<Span>,
    symbol_of: FxHashMap<u64, Symbol>,
    entries: Vec<Entry>,
    keys: Vec<(u64, u32)>,
    sensitive: Vec<Box<[Box<str>]>>,
    sensitive_of: FxHashMap<Vec<Box<str>>, u32>,
    dependencies: Vec<Box<[Symbol]>>,
    dependencies_of: FxHashMap<Box<[Symbol]>, u32>,
    addresses: FxHashSet<u64>,
    warnings: Vec<String>,
    managed: usize,
    scratch: String,
    found: Vec<Found>,
    suspect: Suspect,
    /// Number of resources and instances that could not be read, and the first of them: address, problem.
    left_out: usize,
    first_left_out: Option<(String, String)>,
    pub(crate) serial: Option<u64>,
    pub(crate) lineage: Option<String>,
    pub(crate) terraform_version: Option<String>,
}

impl<'p> Builder<'p> {
    pub(crate) fn new(meta: StateMeta, plan: &'p IndexPlan) -> Self {
        Self {
            meta,
            plan,
            plans: FxHashMap::default(),
            arena: Arena::default(),
            symbols: vec![Span::default()],
            symbol_of: FxHashMap::default(),
            entries: Vec::new(),
            keys: Vec::new(),
            sensitive: vec![Box::default()],
            sensitive_of: FxHashMap::default(),
            dependencies: vec![Box::default()],
            dependencies_of: FxHashMap::default(),
            addresses: FxHashSet::default(),
            warnings: Vec::new(),
            managed: 0,
            scratch: String::new(),
            found: Vec::new(),
            suspect: Suspect::default(),
            left_out: 0,
            first_left_out: None,
            serial: None,
            lineage: None,
            terraform_version: None,
        }
    }

    pub(crate) fn state_name(&self) -> String {
        self.meta.name.clone()
    }

    /// Notes a mode that is neither `managed` nor `data`: a later Terraform's, whose other resources still count.
    pub(crate) fn warn_mode(&mut self, mode: &str) {
        let mode: String = mode.chars().take(32).collect();
        let warning = format!("resources of mode {mode:?} are left out: this build knows managed and data");
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Notes a resource or instance that could not be read; all others count.
    pub(crate) fn leave_out(&mut self, address: &str, problem: &str) {
        let address: String =
            address.chars().take(256).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        self.left_out += 1;
        // Apart from the other warnings: these resources are missing.
        if self.left_out <= MAX_WARNINGS {
            self.warnings.push(format!("{address}: left out: {problem}"));
        }
        self.first_left_out.get_or_insert_with(|| (address, problem.to_owned()));
    }

    /// Address and problem of the first that could not be read, when there is nothing else in the state: then the
    /// document is not what it seems.
    pub(crate) fn nothing_but(&mut self) -> Option<(String, String)> {
        self.first_left_out.take().filter(|_| self.entries.is_empty())
    }

    /// Adds one instance.
    pub(crate) fn add(&mut self, instance: Instance<'_>) -> Result<(), Refusal> {
        let ordinal =
            u32::try_from(self.entries.len()).map_err(|_| "more than 4 thousand million instances")?;
        let aws = provider::is_aws(provider::source(instance.provider));
        let text = match instance.attributes {
            "null" => "{}",
            text if text.starts_with('{') => text,
            _ => return Err(Refusal::Odd("`attributes` is not an object")),
        };
        let indexed = aws && instance.managed;
        let plan_key = (Box::from(instance.rtype), indexed);
        let plans = self.plans.entry(plan_key);
        let plan = plans.or_insert_with(|| self.plan.compile(instance.rtype, indexed));
        self.suspect.take();
        compact(text, plan, &mut self.scratch, &mut self.found, &mut self.suspect).map_err(Refusal::Odd)?;
        let sealed = sealed(
            &self.scratch,
            instance.rtype,
            &instance.sensitive,
            &self.meta.mask_names,
            self.suspect.take() || plan.keeps_quiet,
        );
        let attributes = self.arena.push(sealed.as_deref().unwrap_or(&self.scratch)).ok_or(FULL)?;

        let (mut id, mut arn, mut region) = (None, None, None);
        for found in &self.found {
            let Some(node) = plan.get(found.node) else { continue };
            let Some(value) = self.scratch.get(found.token.clone()).and_then(scalar_text) else { continue };
            if let Some(seed) = node.seed {
                self.keys.push((key(seed, &value), ordinal));
            }
            if let Some(seed) = node.any {
                self.keys.push((key(seed, &value), ordinal));
            }
            let span = || match value {
                // A string's text stands between its quotes; a number is its own text.
                Cow::Borrowed(text) if sealed.is_none() => {
                    let quotes = (found.token.len() - text.len()) / 2;
                    attributes.part(found.token.start + quotes, text.len())
                }
                _ => None,
            };
            match node.role {
                Some(Role::Id) => id = Some((span(), value)),
                Some(Role::Arn) => arn = Some((span(), value)),
                Some(Role::Region) => region = Some(value),
                None => {}
            }
        }
        let said_arn =
            arn.as_ref().or(id.as_ref()).map(|(_, text)| &**text).filter(|t| t.starts_with("arn:"));
        let identity: Identity<'_> =
            instance.identity.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let account = said_arn.and_then(arn_account).map(str::to_owned);
        let account = account
            .or_else(|| identity.account_id.map(|t| t.0.into_owned()).filter(|a| !a.is_empty()))
            .or_else(|| self.meta.account.clone());
        let region = match (region, said_arn.map_or(ArnRegion::Unknown, arn_region)) {
            (Some(region), _) if aws => Some(region.into_owned()),
            (_, ArnRegion::Named(region)) => Some(region.to_owned()),
            (_, ArnRegion::Global) => None,
            _ => match identity.region.map(|t| t.0.into_owned()).filter(|r| !r.is_empty()) {
                Some(region) => Some(region),
                None if is_global(instance.rtype) => None,
                None => self.meta.region.clone(),
            },
        };
        let mut kept = |text: Option<(Option<Span>, Cow<'_, str>)>| match text {
            Some((Some(span), _)) => Ok(Some(span)),
            Some((None, text)) => self.arena.push(&text).map(Some).ok_or(FULL),
            None => Ok(None),
        };
        let (id, arn) = (kept(id)?, kept(arn)?);

        if !self.addresses.insert(keyed_hash(instance.address)) && self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(format!("{}: stands in the state more than once", instance.address));
        }
        let flags = if instance.managed { flag::MANAGED } else { 0 }
            | if aws { flag::AWS } else { 0 }
            | if instance.tainted { flag::TAINTED } else { 0 };
        let entry = Entry {
            address: self.arena.push(instance.address).ok_or(FULL)?,
            attributes,
            id,
            arn,
            rtype: self.symbol(instance.rtype)?,
            name: self.symbol(instance.name)?,
            module: self.symbol(instance.module.unwrap_or_default())?,
            provider: self.symbol(instance.provider)?,
            account: self.symbol(account.as_deref().unwrap_or_default())?,
            region: self.symbol(region.as_deref().unwrap_or_default())?,
            sensitive: self.sensitive_list(instance.sensitive),
            dependencies: self.dependency_list(instance.dependencies)?,
            flags,
        };
        self.managed += usize::from(instance.managed);
        self.entries.push(entry);
        Ok(())
    }

    fn symbol(&mut self, text: &str) -> Result<Symbol, &'static str> {
        if text.is_empty() {
            return Ok(0);
        }
        let hash = keyed_hash(text);
        if let Some(&symbol) = self.symbol_of.get(&hash)
            && self.symbols.get(symbol as usize).is_some_and(|&span| self.arena.get(span) == text)
        {
            return Ok(symbol);
        }
        let symbol = Symbol::try_from(self.symbols.len()).map_err(|_| FULL)?;
        self.symbols.push(self.arena.push(text).ok_or(FULL)?);
        self.symbol_of.insert(hash, symbol);
        Ok(symbol)
    }

    fn sensitive_list(&mut self, list: Vec<Box<str>>) -> u32 {
        if list.is_empty() {
            return 0;
        }
        let lists = &mut self.sensitive;
        *self.sensitive_of.entry(list).or_insert_with_key(|list| {
            lists.push(list.clone().into_boxed_slice());
            (lists.len() - 1) as u32
        })
    }

    fn dependency_list(&mut self, list: &[Text<'_>]) -> Result<u32, &'static str> {
        if list.is_empty() {
            return Ok(0);
        }
        let symbols = list.iter().map(|text| self.symbol(&text.0)).collect::<Result<Box<[_]>, _>>()?;
        let lists = &mut self.dependencies;
        Ok(*self.dependencies_of.entry(symbols).or_insert_with_key(|list| {
            lists.push(list.clone());
            (lists.len() - 1) as u32
        }))
    }

    /// A resource that does not say where it is stands where all the others of its provider do, if they agree: one provider
    /// configuration is one account and one region.
    fn fill_in_places(&mut self) {
        let mut known: FxHashMap<Symbol, [Vote; 2]> = FxHashMap::default();
        for entry in self.entries.iter().filter(|e| e.flags & flag::AWS != 0) {
            let votes = known.entry(entry.provider).or_default();
            for (vote, place) in votes.iter_mut().zip([entry.account, entry.region]) {
                vote.add(place);
            }
        }
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get(at) else { continue };
            let Some([account, region]) = known.get(&entry.provider) else { continue };
            let (mut here, mut there) = (entry.account, entry.region);
            if here == 0 {
                here = account.unanimous();
            }
            if there == 0 && !self.is_global(entry) {
                there = region.unanimous();
            }
            if let Some(entry) = self.entries.get_mut(at) {
                (entry.account, entry.region) = (here, there);
            }
        }
    }

    /// Whether it has no region by its nature: a global service's type, or an ARN without one.
    fn is_global(&self, entry: &Entry) -> bool {
        let rtype = self.symbols.get(entry.rtype as usize).map_or("", |&span| self.arena.get(span));
        let arn = entry.arn.map_or("", |span| self.arena.get(span));
        is_global(rtype) || arn_region(arn) == ArnRegion::Global
    }

    /// The state.
    pub(crate) fn finish(mut self) -> State {
        self.fill_in_places();
        let Self {
            meta,
            mut arena,
            symbols,
            entries,
            keys,
            sensitive,
            dependencies,
            mut warnings,
            managed,
            left_out,
            ..
        } = self;
        if left_out > MAX_WARNINGS {
            warnings.push(format!("{} more resources are left out", left_out - MAX_WARNINGS));
        }
        let Self { serial, lineage, terraform_version, .. } = self;
        arena.shrink();
        State {
            meta,
            serial,
            lineage,
            terraform_version,
            arena,
            symbols: symbols.into_boxed_slice(),
            entries: entries.into_boxed_slice(),
            index: KeyIndex::new(keys),
            sensitive: sensitive.into_boxed_slice(),
            dependencies: dependencies.into_boxed_slice(),
            warnings,
            managed,
            left_out,
        }
    }
}

/// The attributes with a keyed hash for each sensitive scalar; `None` if there is none. `suspect`: there may be one that
/// neither the state marks nor `mask_names`.
fn sealed(
    attributes: &str,
    rtype: &str,
    marked: &[Box<str>],
    mask_names: &[String],
    suspect: bool,
) -> Option<String> {
    if !suspect && marked.is_empty() && mask_names.is_empty() {
        return None;
    }
    let value = serde_json::from_str(attributes).ok()?;
    Masker::of_resource(rtype, marked, mask_names).sealed(&value).map(|sealed| sealed.to_string())
}

/// Whether all that is said is the same.
#[derive(Default, Clone, Copy)]
enum Vote {
    #[default]
    Nothing,
    One(Symbol),
    Several,
}

impl Vote {
    fn add(&mut self, place: Symbol) {
        *self = match (*self, place) {
            (vote, 0) => vote,
            (Vote::Nothing, place) => Vote::One(place),
            (Vote::One(before), place) if before == place => Vote::One(place),
            _ => Vote::Several,
        };
    }

    /// What all say; no text where they differ.
    fn unanimous(self) -> Symbol {
        match self {
            Vote::One(place) => place,
            _ => 0,
        }
    }
}

/// Text of a scalar token: a string without quotes and escapes, a number or boolean as it stands. `None` for null,
/// the empty string, and broken escapes.
fn scalar_text(token: &str) -> Option<Cow<'_, str>> {
    if token == "null" || token == "\"\"" {
        return None;
    }
    if !token.starts_with('"') {
        return Some(Cow::Borrowed(token));
    }
    if token.contains('\\') {
        return unescape(token).map(Cow::Owned);
    }
    token.get(1..token.len().checked_sub(1)?).map(Cow::Borrowed)
}
