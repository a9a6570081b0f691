//! The places of the states, loaded once.

use super::newest::now_secs;
use super::report::{Report, Step, age};
use tfdrift_states::{StateConfig, StateStatus, StateStore};

/// Loads every place and reports it as a step.
pub fn examine(config: &StateConfig, report: &mut Report) {
    let plan = tfdrift_drift::Mappings::builtin().index_plan();
    let store = match StateStore::new(config.clone(), plan) {
        Ok(store) => store,
        Err(error) => {
            report.add(Step::bad("state", error.to_string()).next("mend that key of state.places"));
            return;
        }
    };
    let status = store.load_now();
    for place in &status.places {
        if let Some(error) = &place.error {
            report.add(step(&place.place, error, place.detail.as_deref()));
        } else if place.states.is_empty() {
            report.add(
                Step::bad("state", format!("{}: no state there", place.place))
                    .next("check the place's key or path"),
            );
        }
        for state in &place.states {
            report.add(match &state.error {
                Some(error) => step(&state.name, error, state.detail.as_deref()),
                None => loaded(state),
            });
        }
    }
}

fn step(name: &str, error: &str, detail: Option<&str>) -> Step {
    // Cause, and after a semicolon what to do; where there is more to tell, the detail has both again.
    let (cause, next) = error.split_once("; ").unwrap_or((error, ""));
    let mut step = match detail {
        Some(detail) => Step::of_text("state", detail),
        None if next.is_empty() => Step::bad("state", cause),
        None => Step::bad("state", cause).next(next),
    };
    // Most messages begin with the name already.
    if !step.what.contains(name) {
        step.what = format!("{name}: {}", step.what);
    }
    step
}

fn loaded(state: &StateStatus) -> Step {
    let mut what = format!("{}: {} managed resources", state.name, state.managed);
    if let Some(serial) = state.serial {
        what.push_str(&format!(", serial {serial}"));
    }
    if let Some(version) = &state.terraform_version {
        what.push_str(&format!(", Terraform {version}"));
    }
    if let Some(at) = state.written_at_ns {
        what.push_str(&format!(", written {} ago", age(now_secs().saturating_sub(at / 1_000_000_000))));
    }
    let mut step = Step::good("state", what);
    for warning in &state.warnings {
        step = step.detail(warning.clone());
    }
    step
}
