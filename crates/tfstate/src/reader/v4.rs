//! State files of version 4 (Terraform ≥ 0.12, OpenTofu). The shape is that of Terraform's
//! internal/states/statefile/version4.go; OpenTofu adds `instance_provider`.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::address::InstanceKey;
use crate::builder::{Builder, Instance, Refusal, Text};
use crate::error::StateError;
use crate::reader::{Care, hint, odd, settle, words};

/// `I`: instances, or their JSON.
#[derive(Deserialize)]
#[serde(bound(deserialize = "I: Deserialize<'de>"))]
struct ResourceV4<'a, I> {
    #[serde(borrow, default)]
    module: Option<Text<'a>>,
    #[serde(borrow)]
    mode: Text<'a>,
    #[serde(borrow, rename = "type")]
    rtype: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    provider: Option<Text<'a>>,
    #[serde(default = "Option::default")]
    instances: Option<Vec<I>>,
}

#[derive(Deserialize)]
struct InstanceV4<'a> {
    #[serde(borrow, default)]
    index_key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<Text<'a>>,
    #[serde(borrow, default)]
    deposed: Option<Text<'a>>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    /// Of a state that 0.12 took over and never refreshed: `"tags.%": "1"`. Its plain members read the same.
    #[serde(borrow, default)]
    attributes_flat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sensitive_attributes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dependencies: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    instance_provider: Option<Text<'a>>,
}

/// A step of a sensitive path: `{"type":"get_attr","value":"x"}`, `{"type":"index","value":{"value":0,…}}`.
#[derive(Deserialize)]
struct Step<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
struct IndexValue<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The member `resources`.
pub(crate) struct Resources<'b, 'p> {
    pub(crate) builder: &'b mut Builder<'p>,
    pub(crate) failed: &'b mut Option<StateError>,
    pub(crate) care: Care,
}

impl Resources<'_, '_> {
    fn instance<E: serde::de::Error, I>(
        &mut self,
        resource: &ResourceV4<'_, I>,
        instance: &InstanceV4<'_>,
        address: &mut String,
    ) -> Result<(), E> {
        // What Terraform is about to destroy; it is no longer the resource of that address.
        if instance.deposed.as_ref().is_some_and(|d| !d.0.is_empty()) {
            return Ok(());
        }
        let added = add(self.builder, resource, instance, address);
        settle(added, self.failed, self.builder, address)
    }

    /// One resource by itself: what cannot be read is left out.
    fn carefully<'de, E: serde::de::Error>(
        &mut self,
        raw: &'de RawValue,
        place: usize,
        address: &mut String,
    ) -> Result<(), E> {
        let resource: ResourceV4<'de, &'de RawValue> = match serde_json::from_str(raw.get()) {
            Ok(resource) => resource,
            Err(error) => {
                self.builder.leave_out(&odd::address(raw, place), &hint(&words(&error)));
                return Ok(());
            }
        };
        for &one in resource.instances.iter().flatten() {
            match serde_json::from_str::<InstanceV4<'de>>(one.get()) {
                Ok(instance) => self.instance(&resource, &instance, address)?,
                Err(error) => {
                    let address = odd::address(raw, place) + &odd::key(one);
                    self.builder.leave_out(&address, &hint(&words(&error)));
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Resources<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Resources<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut address = String::new();
        if self.care == Care::Each {
            let mut place = 0;
            while let Some(raw) = list.next_element::<&'de RawValue>()? {
                self.carefully(raw, place, &mut address)?;
                place += 1;
            }
            return Ok(());
        }
        while let Some(resource) = list.next_element::<ResourceV4<'de, InstanceV4<'de>>>()? {
            for instance in resource.instances.iter().flatten() {
                self.instance(&resource, instance, &mut address)?;
            }
        }
        Ok(())
    }
}

fn add<I>(
    builder: &mut Builder<'_>,
    resource: &ResourceV4<'_, I>,
    instance: &InstanceV4<'_>,
    address: &mut String,
) -> Result<(), Refusal> {
    let module = resource.module.as_ref().map(|m| &*m.0).filter(|m| !m.is_empty());
    let managed = match &*resource.mode.0 {
        "managed" => true,
        "data" => false,
        other => {
            builder.warn_mode(other);
            return Ok(());
        }
    };
    address.clear();
    if let Some(module) = module {
        let _ = write!(address, "{module}.");
    }
    let _ = write!(address, "{}{}.{}", if managed { "" } else { "data." }, resource.rtype.0, resource.name.0);
    if let Some(key) = instance.index_key {
        let _ = write!(
            address,
            "{}",
            index_key(key).ok_or(Refusal::Odd("`index_key` is neither a whole number nor a string"))?
        );
    }
    let none = Vec::new();
    let provider = instance.instance_provider.as_ref().or(resource.provider.as_ref());
    builder.add(Instance {
        address,
        managed,
        rtype: &resource.rtype.0,
        name: &resource.name.0,
        module,
        provider: provider.map(|p| &*p.0).unwrap_or_default(),
        tainted: instance.status.as_ref().is_some_and(|s| s.0 == "tainted"),
        attributes: instance.attributes.or(instance.attributes_flat).map_or("null", RawValue::get),
        sensitive: instance.sensitive_attributes.map(sensitive_paths).unwrap_or_default(),
        identity: instance.identity.map(RawValue::get),
        dependencies: instance.dependencies.as_ref().unwrap_or(&none),
    })
}

/// Older states write the key of `count` as a float: `1.0`.
fn index_key(raw: &RawValue) -> Option<InstanceKey> {
    let text = raw.get();
    if text.starts_with('"') {
        return serde_json::from_str::<String>(text).ok().map(InstanceKey::Str);
    }
    if let Ok(n) = text.parse() {
        return Some(InstanceKey::Int(n));
    }
    let float: f64 = text.parse().ok()?;
    // Below 2^53 every whole number has a float of its own.
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(InstanceKey::Int(float as i64))
}

/// Dotted paths. A path that cannot be read becomes "", which makes the whole resource sensitive: better too much.
fn sensitive_paths(raw: &RawValue) -> Vec<Box<str>> {
    if raw.get() == "[]" {
        return Vec::new();
    }
    let Ok(paths) = serde_json::from_str::<Vec<Vec<Step<'_>>>>(raw.get()) else {
        return vec![Box::default()];
    };
    let mut out: Vec<Box<str>> = paths
        .iter()
        .map(|steps| {
            let names = steps.iter().map(step_name).collect::<Option<Vec<_>>>();
            names.map(|names| names.join(".").into_boxed_str()).unwrap_or_default()
        })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn step_name<'a>(step: &Step<'a>) -> Option<Cow<'a, str>> {
    let text = step.value.get();
    let text = match text.starts_with('{') {
        true => serde_json::from_str::<IndexValue<'a>>(text).ok()?.value.get(),
        false => text,
    };
    match text.starts_with('"') {
        true => serde_json::from_str::<Text<'a>>(text).ok().map(|t| t.0),
        false => Some(Cow::Borrowed(text)),
    }
}
