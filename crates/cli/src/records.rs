//! Reads the records that `--events` names.

use tfdrift_cloudtrail::split;

use crate::Failure;

/// Calls `each` for every record's bytes and `broken` with a line for everything that cannot be read.
pub fn each(params: &str, each: &mut dyn FnMut(&[u8]), broken: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let bytes = std::fs::read(params).map_err(|e| Failure::Events { params: params.to_owned(), what: e.to_string() })?;
    for record in split::records(&bytes) {
        match record {
            Ok(bytes) => each(bytes),
            Err(e) => broken(format!("{params}: {e}")),
        }
    }
    Ok(())
}
