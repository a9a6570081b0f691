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
    past(&store, report);
}

/// Whether states can be read as of the time of an event.
fn past(store: &StateStore, report: &mut Report) {
    let history = store.try_history();
    for place in &history.unversioned {
        report.add(Step::good("history", format!("{place}: one version of a state, no older ones")).detail(
            "an event is judged by the newest state; with the bucket's versioning on, by the state of its time",
        ));
    }
    for error in &history.errors {
        let (name, _) = error.error.split_once(": ").unwrap_or((&error.error, ""));
        let text = error.detail.as_ref().unwrap_or(&error.error);
        let mut step = Step::of_text("history", text);
        step.what = format!("{name}: {}", step.what);
        report.add(
            step.detail("or set state.history_cache_bytes: 0, and events are judged by the newest states"),
        );
    }
    if history.get_calls > 0 && history.errors.is_empty() {
        report.add(Step::good("history", "older versions of states can be read"));
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
