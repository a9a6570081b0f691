//! The bytes of a local state: of a file, or of something that is read once.

use std::fs::{self, File};
use std::io::Read;

use super::version;
use crate::error::PlaceError;
use crate::fetch::{Fetched, Item, epoch_ns};

/// More than any state, and what a device that never ends may take of the memory.
const MAX_STATE_BYTES: u64 = 1 << 30;

/// Reads a state. A pipe or device is read in a thread of its own, which is left alone when nobody waits any more: it
/// may never say anything.
pub(crate) async fn read(item: &Item) -> Result<Fetched, PlaceError> {
    let metadata = fs::metadata(&item.key).map_err(|e| PlaceError::io(&item.name, &e))?;
    if metadata.is_file() {
        return read_file(item);
    }
    let path = item.key.clone();
    read_apart(item.name.clone(), move || File::open(path)).await
}

/// Reads standard input to its end.
pub(crate) async fn read_stdin() -> Result<Fetched, PlaceError> {
    read_apart("standard input".to_owned(), || Ok(std::io::stdin())).await
}

/// Reads a file such that the bytes are of one moment. Terraform rewrites a state in place.
fn read_file(item: &Item) -> Result<Fetched, PlaceError> {
    let error = |e: &std::io::Error| PlaceError::io(&item.name, e);
    for _ in 0..2 {
        let before = fs::metadata(&item.key).map_err(|e| error(&e))?;
        if before.len() > MAX_STATE_BYTES {
            return Err(too_large(&item.name));
        }
        let bytes = fs::read(&item.key).map_err(|e| error(&e))?;
        let after = fs::metadata(&item.key).map_err(|e| error(&e))?;
        if version(&before) == version(&after) && bytes.len() as u64 == after.len() {
            let written_at_ns = after.modified().ok().and_then(epoch_ns);
            return Ok(Fetched { bytes, version: Some(version(&after)), written_at_ns });
        }
    }
    Err(PlaceError::Changing { path: item.name.clone() })
}

async fn read_apart<R: Read>(
    name: String,
    open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
) -> Result<Fetched, PlaceError> {
    let read = move || {
        let mut bytes = Vec::new();
        open()?.take(MAX_STATE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(bytes)) if bytes.len() as u64 > MAX_STATE_BYTES => Err(too_large(&name)),
        Ok(Ok(bytes)) => Ok(Fetched { bytes, version: Some("once".to_owned()), written_at_ns: None }),
        Ok(Err(error)) => Err(PlaceError::io(name, &error)),
        Err(error) => Err(PlaceError::io(name, &std::io::Error::other(error))),
    }
}

fn too_large(name: &str) -> PlaceError {
    let problem = format!("is larger than {} MB; is it a state?", MAX_STATE_BYTES >> 20);
    PlaceError::Io { path: name.to_owned(), problem }
}
