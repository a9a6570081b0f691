//! `docs/configuration.md`, written from the table.

use std::fmt::Write;

use super::schema::takes;
use super::spec::{Key, Kind};
use super::table::KEYS;

const HEAD: &str = "# Configuration\n\n\
Everything under `init_config` of the plugin in `falco.yaml`, and the same sections of `tfdrift.yaml`. All keys are optional \
unless marked. An unknown key or a wrong value stops Falco with a message that names the nearest known key or the allowed \
values. `${VAR}` is expanded by Falco. This page is written from the table that the plugin checks against \
(`src/config/table.rs`; `TFDRIFT_BLESS=1 cargo test -p tfdrift configuration_page` writes it anew).\n";

/// The page, as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    table(&mut page, "Top level", KEYS, false);
    sections(&mut page, KEYS, "");
    page.push_str(OPEN_PARAMS);
    page
}

fn sections(page: &mut String, keys: &[Key], path: &str) {
    for key in keys {
        let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        match key.kind {
            // the section aws of a place is the section aws
            Kind::Section(_) if name == "state.places.aws" => {}
            Kind::Section(inner) => {
                table(page, &format!("`{name}`"), inner, false);
                sections(page, inner, &name);
            }
            Kind::Sections(inner) => {
                table(page, &format!("Entries of `{name}`"), inner, true);
                sections(page, inner, &name);
            }
            _ => {}
        }
    }
}

fn table(page: &mut String, title: &str, keys: &[Key], entries: bool) {
    // writing to a String cannot fail
    let _ = writeln!(page, "\n## {title}\n\n| key | takes | default | meaning |\n|---|---|---|---|");
    for key in keys {
        let default = match key.default {
            _ if key.required => "*needed*".into(),
            "" => String::new(),
            default if entries && default == r#""""# => String::new(),
            default => format!("`{}`", default.replace(',', ", ")),
        };
        let takes = takes(&key.kind);
        let _ = writeln!(page, "| `{}` | {takes} | {default} | {} |", key.name, key.doc);
    }
}

const OPEN_PARAMS: &str = "\n## `open_params`\n\n\
| form | what is read |\n|---|---|\n\
| `s3://bucket/prefix[?once][&since=…]` | a bucket: what is there and, unless `?once`, what comes |\n\
| `sqs://NAME`, `sqs://HOST/ACCOUNT/NAME` | a queue with notifications of new objects: refused by this version, read the bucket instead |\n\
| a file or a folder | `*.json`, `*.jsonl`, `*.ndjson`, each also `.gz`; ends unless `?follow` |\n\n\
`?since` takes what `source.since` takes, and beats it; a checkpoint beats both. A file or folder that exists is taken as \
such even where its name holds `=` or `?`. Anything else is refused with these forms and a guess.\n";
