//! `terraform show -json`, `tofu show -json`. The shape is that of "JSON Output Format" in Terraform's
//! documentation, format 1.x.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::address::Address;
use crate::builder::{Builder, Instance, Refusal, Text};
use crate::error::StateError;
use crate::mask::marked_paths;
use crate::reader::{Care, hint, odd, settle, words};

#[derive(Deserialize)]
struct ShownResource<'a> {
    #[serde(borrow)]
    address: Text<'a>,
    #[serde(borrow)]
    mode: Text<'a>,
    #[serde(borrow, rename = "type")]
    rtype: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    provider_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sensitive_values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    depends_on: Option<Vec<Text<'a>>>,
    #[serde(default)]
    tainted: Option<bool>,
    #[serde(borrow, default)]
    deposed_key: Option<Text<'a>>,
}

/// Makes a seed whose visitor takes an object and looks at some of its members. `null` counts as an empty one.
macro_rules! object_seed {
    ($(#[$doc:meta])* $name:ident, $($member:literal => $seed:ident),+) => {
        $(#[$doc])*
        pub(crate) struct $name<'b, 'p> {
            pub(crate) builder: &'b mut Builder<'p>,
            pub(crate) failed: &'b mut Option<StateError>,
            pub(crate) care: Care,
        }

        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();

            fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
                json.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_, '_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    match &*name.0 {
                        $($member => map.next_value_seed($seed { builder: self.builder, failed: self.failed, care: self.care })?,)+
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(())
            }
        }
    };
}

object_seed! {
    /// The member `prior_state` of a plan.
    PriorState, "values" => Values
}
object_seed! {
    /// The member `values`.
    Values, "root_module" => Module
}
object_seed! {
    /// A module.
    Module, "resources" => ModuleResources, "child_modules" => ChildModules
}

/// Makes a seed whose visitor takes a list.
macro_rules! list_seed {
    ($name:ident, $visit:expr) => {
        struct $name<'b, 'p> {
            builder: &'b mut Builder<'p>,
            failed: &'b mut Option<StateError>,
            care: Care,
        }

        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();

            fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
                json.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_, '_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
                $visit(self, list)
            }
        }
    };
}

list_seed!(ModuleResources, read_resources);
list_seed!(ChildModules, read_modules);

fn read_modules<'de, A: SeqAccess<'de>>(seed: ChildModules<'_, '_>, mut list: A) -> Result<(), A::Error> {
    let ChildModules { builder, failed, care } = seed;
    while list.next_element_seed(Module { builder, failed, care })?.is_some() {}
    Ok(())
}

fn read_resources<'de, A: SeqAccess<'de>>(
    seed: ModuleResources<'_, '_>,
    mut list: A,
) -> Result<(), A::Error> {
    let ModuleResources { builder, failed, care } = seed;
    let mut one = |builder: &mut Builder<'_>, resource: &ShownResource<'de>| {
        if resource.deposed_key.as_ref().is_some_and(|d| !d.0.is_empty()) {
            return Ok(());
        }
        let added = add(builder, resource);
        settle(added, failed, builder, &resource.address.0)
    };
    if care == Care::Each {
        let mut place = 0;
        while let Some(raw) = list.next_element::<&'de RawValue>()? {
            match serde_json::from_str(raw.get()) {
                Ok(resource) => one(builder, &resource)?,
                Err(error) => builder.leave_out(&odd::address(raw, place), &hint(&words(&error))),
            }
            place += 1;
        }
        return Ok(());
    }
    while let Some(resource) = list.next_element::<ShownResource<'de>>()? {
        one(builder, &resource)?;
    }
    Ok(())
}

fn add(builder: &mut Builder<'_>, resource: &ShownResource<'_>) -> Result<(), Refusal> {
    let module =
        Address::module_of(&resource.address.0).ok_or(Refusal::Odd("`address` is not a resource address"))?;
    let managed = match &*resource.mode.0 {
        "managed" => true,
        "data" => false,
        other => {
            builder.warn_mode(other);
            return Ok(());
        }
    };
    let none = Vec::new();
    builder.add(Instance {
        address: &resource.address.0,
        managed,
        rtype: &resource.rtype.0,
        name: &resource.name.0,
        module: Some(module).filter(|m| !m.is_empty()),
        provider: resource.provider_name.as_ref().map(|p| &*p.0).unwrap_or_default(),
        tainted: resource.tainted.unwrap_or(false),
        attributes: resource.values.map_or("null", RawValue::get),
        sensitive: resource.sensitive_values.map(|raw| marked_paths(raw.get())).unwrap_or_default(),
        identity: resource.identity.map(RawValue::get),
        dependencies: resource.depends_on.as_ref().unwrap_or(&none),
    })
}
