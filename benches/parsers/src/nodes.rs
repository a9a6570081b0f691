//! What each parser makes of a value.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use simd_json::prelude::{ValueAsArray, ValueAsObject, ValueAsScalar, Writable};
use sonic_rs::{JsonContainerTrait, JsonValueTrait, LazyValue};

use super::fields::Source;

/// A value within a record.
pub trait Node<'a>: Sized {
    fn get(&self, key: &str) -> Option<Self>;
    fn text(&self) -> Option<Cow<'a, str>>;
    fn json(&self) -> Cow<'a, str>;
    fn truth(&self) -> Option<bool>;
    fn items(&self) -> Vec<Self>;
}

impl<'a> Node<'a> for &'a serde_json::Value {
    fn get(&self, key: &str) -> Option<Self> {
        serde_json::Value::get(self, key)
    }
    fn text(&self) -> Option<Cow<'a, str>> {
        self.as_str().map(Cow::Borrowed)
    }
    fn json(&self) -> Cow<'a, str> {
        self.to_string().into()
    }
    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }
    fn items(&self) -> Vec<Self> {
        self.as_array().into_iter().flatten().collect()
    }
}

impl<'a> Node<'a> for &'a sonic_rs::Value {
    fn get(&self, key: &str) -> Option<Self> {
        <sonic_rs::Value as JsonContainerTrait>::as_object(self)?.get(&key)
    }
    fn text(&self) -> Option<Cow<'a, str>> {
        <sonic_rs::Value as JsonValueTrait>::as_str(self).map(Cow::Borrowed)
    }
    fn json(&self) -> Cow<'a, str> {
        sonic_rs::to_string(self).unwrap_or_default().into()
    }
    fn truth(&self) -> Option<bool> {
        <sonic_rs::Value as JsonValueTrait>::as_bool(self)
    }
    fn items(&self) -> Vec<Self> {
        let items = <sonic_rs::Value as JsonContainerTrait>::as_array(self);
        items.map(|items| items.iter().collect()).unwrap_or_default()
    }
}

impl<'a, 'v: 'a> Node<'a> for &'a simd_json::BorrowedValue<'v> {
    fn get(&self, key: &str) -> Option<Self> {
        let this: Self = self;
        this.as_object()?.get(key)
    }
    fn text(&self) -> Option<Cow<'a, str>> {
        let this: Self = self;
        match this {
            simd_json::BorrowedValue::String(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
    fn json(&self) -> Cow<'a, str> {
        self.encode().into()
    }
    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }
    fn items(&self) -> Vec<Self> {
        let this: Self = self;
        this.as_array().into_iter().flatten().collect()
    }
}

/// A part of a record that the parser left as it is.
pub trait Raw<'a>: Sized + Clone {
    fn raw(&self) -> &'a str;
    fn members(&self) -> Vec<(Cow<'a, str>, Self)>;
    fn items(&self) -> Vec<Self>;
    /// The text of a string with escapes.
    fn unescaped(&self) -> Option<String>;
}

/// Such a part, whose members are looked for once.
#[derive(Clone)]
pub struct Part<'a, R> {
    part: R,
    members: OnceCell<Vec<(Cow<'a, str>, R)>>,
}

impl<R> From<R> for Part<'_, R> {
    fn from(part: R) -> Self {
        Part { part, members: OnceCell::new() }
    }
}

impl<'a, R: Raw<'a>> Node<'a> for Part<'a, R> {
    fn get(&self, key: &str) -> Option<Self> {
        let members = self.members.get_or_init(|| self.part.members());
        members.iter().find(|(name, _)| name == key).map(|(_, part)| part.clone().into())
    }
    fn text(&self) -> Option<Cow<'a, str>> {
        // borrowed where nothing is to be changed, as ours is
        match self.part.raw().strip_prefix('"')?.strip_suffix('"')? {
            inner if !inner.contains('\\') => Some(inner.into()),
            _ => self.part.unescaped().map(Cow::Owned),
        }
    }
    fn json(&self) -> Cow<'a, str> {
        self.part.raw().into()
    }
    fn truth(&self) -> Option<bool> {
        self.part.raw().parse().ok()
    }
    fn items(&self) -> Vec<Self> {
        self.part.items().into_iter().map(Part::from).collect()
    }
}

impl<'a> Raw<'a> for LazyValue<'a> {
    fn raw(&self) -> &'a str {
        match self.as_raw_cow() {
            Cow::Borrowed(raw) => raw,
            Cow::Owned(_) => "",
        }
    }
    fn members(&self) -> Vec<(Cow<'a, str>, Self)> {
        let members = self.clone().into_object_iter().into_iter().flatten().flatten();
        members.map(|(key, value)| (key.to_string().into(), value)).collect()
    }
    fn items(&self) -> Vec<Self> {
        self.clone().into_array_iter().into_iter().flatten().flatten().collect()
    }
    fn unescaped(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }
}

impl<'a> Raw<'a> for &'a RawValue {
    fn raw(&self) -> &'a str {
        let this: &'a RawValue = self;
        this.get()
    }
    fn members(&self) -> Vec<(Cow<'a, str>, Self)> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }
        let mut parser = serde_json::Deserializer::from_str(Raw::raw(self));
        parser.deserialize_map(Members).unwrap_or_default()
    }
    fn items(&self) -> Vec<Self> {
        serde_json::from_str(Raw::raw(self)).unwrap_or_default()
    }
    fn unescaped(&self) -> Option<String> {
        serde_json::from_str(Raw::raw(self)).ok()
    }
}

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// A member that is there, also where it is null.
fn some<'de, D: Deserializer<'de>>(parser: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(parser).map(Some)
}

macro_rules! typed {
    ($($field:ident $name:literal,)*) => {
        /// The members that the fields need, each as it stands.
        #[derive(Deserialize)]
        pub struct Typed<'a> {
            $(#[serde(borrow, rename = $name, default, deserialize_with = "some")] $field: Option<&'a RawValue>,)*
        }

        impl<'a> Source<'a> for Typed<'a> {
            type Node = Part<'a, &'a RawValue>;
            fn member(&self, name: &str) -> Option<Self::Node> {
                match name { $($name => self.$field.map(Part::from),)* _ => None }
            }
        }
    };
}

typed! {
    user_identity "userIdentity",
    event_source "eventSource",
    event_name "eventName",
    aws_region "awsRegion",
    source_ip_address "sourceIPAddress",
    user_agent "userAgent",
    error_code "errorCode",
    request_parameters "requestParameters",
    response_elements "responseElements",
    event_id "eventID",
    read_only "readOnly",
    recipient_account_id "recipientAccountId",
}

macro_rules! trees {
    ($($tree:ty),*) => {
        $(impl<'a> Source<'a> for &'a $tree {
            type Node = &'a $tree;
            fn member(&self, name: &str) -> Option<&'a $tree> {
                Node::get(self, name)
            }
        })*
    };
}

trees!(serde_json::Value, sonic_rs::Value);

impl<'a, 'v: 'a> Source<'a> for &'a simd_json::BorrowedValue<'v> {
    type Node = &'a simd_json::BorrowedValue<'v>;
    fn member(&self, name: &str) -> Option<Self::Node> {
        Node::get(self, name)
    }
}
