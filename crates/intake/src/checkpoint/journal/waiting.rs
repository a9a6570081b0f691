//! Frames that could not be written yet.

use std::collections::VecDeque;

/// Frames of so many bytes may wait: two million ids. When there are more, the oldest are let go.
const MOST_BYTES: usize = 16 << 20;

/// Frames in the order of their batches, each with the number of its ids.
#[derive(Debug, Default)]
pub struct Waiting {
    frames: VecDeque<(Vec<u8>, usize)>,
    bytes: usize,
    /// Ids of frames that were let go.
    lost: u64,
}

impl Waiting {
    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Ids that were let go so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Adds a frame.
    pub fn push(&mut self, frame: Vec<u8>, ids: usize) {
        self.bytes += frame.len();
        self.frames.push_back((frame, ids));
        while self.bytes > MOST_BYTES
            && let Some((frame, ids)) = self.frames.pop_front()
        {
            if self.lost == 0 {
                tracing::error!(
                    "the journal cannot be written for so long that ids no longer fit memory: after a restart, second \
                     deliveries of these records are not left out"
                );
            }
            self.bytes -= frame.len();
            self.lost += ids as u64;
        }
    }

    /// Takes the oldest out.
    pub fn pop(&mut self) -> Option<(Vec<u8>, usize)> {
        let (frame, ids) = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some((frame, ids))
    }

    /// Puts back what [`Waiting::pop`] gave.
    pub fn put_back(&mut self, frame: Vec<u8>, ids: usize) {
        self.bytes += frame.len();
        self.frames.push_front((frame, ids));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let mut waiting = Waiting::default();
        for n in 0..40 {
            waiting.push(vec![n; 1 << 20], 10);
        }
        assert_eq!((waiting.len(), waiting.lost(), waiting.bytes), (16, 240, 16 << 20));
        let (frame, ids) = waiting.pop().unwrap();
        assert_eq!((frame[0], ids), (24, 10));
        waiting.put_back(frame, ids);
        let left: Vec<u8> = std::iter::from_fn(|| waiting.pop()).map(|(frame, _)| frame[0]).collect();
        assert_eq!(left, (24..40).collect::<Vec<_>>());
        assert_eq!(waiting.bytes, 0);
    }
}
