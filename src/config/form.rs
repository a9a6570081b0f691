//! Texts with a form of their own: accounts, intervals, points in time.

use super::spec::Form;
use super::time;

/// Whether the text has that form. Nothing is compared with the clock but the two ends of an interval.
pub(super) fn matches(form: Form, text: &str) -> bool {
    match form {
        Form::Account => account(text),
        Form::Accounts => text.split(',').map(str::trim).all(|a| a.is_empty() || account(a)),
        Form::Interval => time::is_interval(text),
        Form::Since => text.parse::<tfdrift_intake::Since>().is_ok(),
        Form::Day => time::is_day(text),
    }
}

fn account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
