//! What `doctor` is to look at: arguments over the configuration file.

use super::DoctorArgs;
use super::report::Step;
use serde_json::Value;
use std::path::Path;
use tfdrift_plugin::config::Config;
use tfdrift_states::Place;

/// What to look at.
pub struct Settings {
    /// The plugin's configuration; places of `--state` are in it.
    pub config: Config,
    /// Open parameters.
    pub events: Vec<String>,
    /// Whether there is a configuration file: then what it does not say has the plugin's defaults.
    pub has_file: bool,
}

impl Settings {
    /// Reads the file and adds the arguments. A failure is a step to report.
    pub fn read(args: &DoctorArgs) -> Result<Settings, Box<Step>> {
        let (init, open) = match &args.config {
            Some(path) => read_file(path)?,
            None => (Value::Null, None),
        };
        let mut config = Config::from_value(&init).map_err(|error| {
            Box::new(Step::bad("config", error.to_string()).next("mend that key of init_config"))
        })?;
        for place in &args.state {
            let place = Place::parse(place).map_err(|error| {
                Box::new(
                    Step::bad("state", format!("{place}: {error}"))
                        .next("give a file, a folder or s3://BUCKET/KEY"),
                )
            })?;
            config.state.places.push(place);
        }
        let events = if args.events.is_empty() { open.into_iter().collect() } else { args.events.clone() };
        Ok(Settings { config, events, has_file: args.config.is_some() })
    }
}

/// `init_config` and `open_params` of a file in one of the three accepted shapes.
pub fn read_file(path: &Path) -> Result<(Value, Option<String>), Box<Step>> {
    let wrong = |problem: String| Box::new(Step::bad("config", format!("{}: {problem}", path.display())));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let mut value: Value = serde_yaml_ng::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    expand(&mut value);
    let Some(plugins) = value.get("plugins") else { return Ok((value, None)) };
    let ours =
        plugins.as_array().into_iter().flatten().find(|plugin| {
            matches!(plugin.get("name").and_then(Value::as_str), Some("tfdrift" | "cloudtrail"))
        });
    let Some(ours) = ours else {
        return Err(wrong("has no plugin named tfdrift or cloudtrail".to_owned()));
    };
    let open = ours.get("open_params").and_then(Value::as_str).filter(|text| !text.is_empty());
    let init = match ours.get("init_config") {
        // Falco takes JSON in a string as well.
        Some(Value::String(json)) if !json.trim().is_empty() => {
            serde_json::from_str(json).map_err(|e| wrong(format!("init_config: {e}")))?
        }
        Some(Value::String(_)) | None => Value::Null,
        Some(map) => map.clone(),
    };
    Ok((init, open.map(str::to_owned)))
}

/// `${NAME}` in texts, as Falco does it: a variable that is not set becomes nothing.
fn expand(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("${") => *text = expanded(text),
        Value::Array(items) => items.iter_mut().for_each(expand),
        Value::Object(map) => map.values_mut().for_each(expand),
        _ => {}
    }
}

fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        out.push_str(&std::env::var(name).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Value, Option<String>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("falco.yaml");
        std::fs::write(&path, text).unwrap();
        read_file(&path).map_err(|step| step.what)
    }

    #[test]
    fn three_shapes_of_a_configuration() {
        let (init, open) = read("aws:\n  profile: audit\n").unwrap();
        assert_eq!((init["aws"]["profile"].as_str(), open), (Some("audit"), None));
        let falco = "plugins:\n- name: json\n- name: tfdrift\n  init_config:\n    aws: {profile: audit}\n  open_params: s3://b/p\n";
        let (init, open) = read(falco).unwrap();
        assert_eq!((init["aws"]["profile"].as_str(), open.as_deref()), (Some("audit"), Some("s3://b/p")));
        let (init, _) =
            read("plugins:\n- name: cloudtrail\n  init_config: '{\"aws\":{\"profile\":\"x\"}}'\n").unwrap();
        assert_eq!(init["aws"]["profile"].as_str(), Some("x"));
        assert!(read("plugins:\n- name: json\n").unwrap_err().contains("no plugin named tfdrift"));
    }

    #[test]
    fn variables_are_expanded() {
        assert_eq!(expanded("s3://${TFDRIFT_TEST_UNSET_VARIABLE}/x${"), "s3:///x${");
        assert_eq!(expanded("${PATH}"), std::env::var("PATH").unwrap());
    }
}
