//! The hand-out: items from the worker become batches, and what a batch held is written down when the next is asked for.

use crate::chunk::Chunk;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::ledger::{Ledger, Step, Taken};
use crate::object::{Ended, Item, Object};
use crate::record::RecordSlice;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// See [`crate::Next`].
pub enum Handed {
    Batch(Vec<RecordSlice>),
    Idle,
    End,
}

/// The hand-out of one intake.
pub struct Handout {
    items: Receiver<Item>,
    ledger: Arc<Mutex<Ledger>>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    current: Option<Current>,
    in_hand: Taken,
    /// Records of the batch in hand.
    in_hand_records: u64,
    ended: bool,
}

/// Records of a chunk that are not all handed out.
struct Current {
    chunk: Arc<Chunk>,
    pieces: std::vec::IntoIter<crate::object::Piece>,
}

impl Handout {
    /// A hand-out of `items`.
    pub fn new(
        items: Receiver<Item>,
        ledger: Arc<Mutex<Ledger>>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let in_hand = Taken::default();
        Self { items, ledger, counters, clock, current: None, in_hand, in_hand_records: 0, ended: false }
    }

    /// See [`crate::Intake::next_batch`].
    pub fn next(&mut self, max: usize, wait: Duration) -> Handed {
        self.commit();
        let max = max.max(1);
        let mut batch = Vec::new();
        let until = Instant::now() + wait;
        while batch.len() < max {
            if self.fill(&mut batch, max) {
                continue;
            }
            if self.ended {
                break;
            }
            // Waits for the first record only.
            let left = if batch.is_empty() {
                until.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            match self.items.recv_timeout(left) {
                Ok(Item::Records { chunk, pieces }) => {
                    self.current = Some(Current { chunk, pieces: pieces.into_iter() });
                }
                Ok(Item::Ended { object, how, upto }) => self.end_of(&object, &how, upto),
                Ok(Item::End) | Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        if batch.is_empty() {
            // What ended without a record is nobody's to take.
            self.commit();
            return if self.ended { Handed::End } else { Handed::Idle };
        }
        self.in_hand_records = batch.len() as u64;
        Handed::Batch(batch)
    }

    /// One record of the batch in hand does not count as handed out.
    pub fn set_aside(&mut self) {
        self.in_hand_records = self.in_hand_records.saturating_sub(1);
    }

    /// Moves records of the current chunk into the batch. False when there are none.
    fn fill(&mut self, batch: &mut Vec<RecordSlice>, max: usize) -> bool {
        let Some(current) = &mut self.current else { return false };
        let mut upto = None;
        let mut newest_ns = 0;
        batch.reserve(current.pieces.len().min(max));
        for piece in current.pieces.by_ref().take(max - batch.len()) {
            let range = piece.start as usize..piece.end as usize;
            upto = Some(current.chunk.base() + u64::from(piece.end));
            newest_ns = piece.time_ns;
            if piece.id != 0 {
                self.in_hand.ids.push(piece.id);
            }
            batch.push(RecordSlice::new(Arc::clone(&current.chunk), range, piece.time_ns));
        }
        if let Some(upto) = upto {
            let object = current.chunk.object();
            self.in_hand.steps.push(Step::of(object, upto, false));
            self.counters.note_lag(newest_ns, object.modified_ns, self.clock.now_ns());
        }
        if current.pieces.len() == 0 {
            self.current = None;
        }
        upto.is_some()
    }

    fn end_of(&mut self, object: &Arc<Object>, how: &Ended, upto: u64) {
        tracing::debug!(object = %object, how = ?how, "object is through");
        self.counters.objects_done.add(1);
        if *how == Ended::Done {
            self.counters.objects_read.add(1);
        }
        self.in_hand.steps.push(Step::of(object, upto, true));
    }

    /// Writes down the batch before.
    fn commit(&mut self) {
        self.counters.emitted.add(std::mem::take(&mut self.in_hand_records));
        if self.in_hand.is_empty() {
            return;
        }
        let taken = std::mem::take(&mut self.in_hand);
        // What cannot be written is told by the journal, and tried again by the keeper.
        let _ = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).commit(&taken);
    }
}
