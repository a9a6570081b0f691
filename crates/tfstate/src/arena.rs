//! All text of a state in a few large chunks: one allocation per megabyte instead of one per string.

/// Chunk size. Large enough that slack and bookkeeping vanish, small enough that growing never copies: a `Vec`
/// that doubles would hold old and new at once, which is what the peak of a 100 MB state is made of.
const CHUNK_BYTES: usize = 1 << 20;

/// Append-only text.
#[derive(Default)]
pub(crate) struct Arena {
    chunks: Vec<String>,
    /// Chunk that small texts go to. Large texts get a chunk of their own.
    open: Option<usize>,
}

/// A text in an [`Arena`]. 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Span {
    /// The part of this text from `start` with length `len`, both in bytes.
    pub(crate) fn part(self, start: usize, len: usize) -> Option<Span> {
        let (start, len) = (u32::try_from(start).ok()?, u32::try_from(len).ok()?);
        let end = start.checked_add(len)?;
        (end <= self.len).then_some(Span { chunk: self.chunk, start: self.start + start, len })
    }
}

impl Arena {
    /// Adds `text`. `None` when the arena is full (4 GiB in one text, or 4 thousand million chunks).
    pub(crate) fn push(&mut self, text: &str) -> Option<Span> {
        let len = u32::try_from(text.len()).ok()?;
        let large = text.len() > CHUNK_BYTES / 4;
        let fits = |c: &String| c.capacity() - c.len() >= text.len();
        let at = match self.open.filter(|&i| !large && self.chunks.get(i).is_some_and(fits)) {
            Some(i) => i,
            None => {
                self.chunks.push(String::with_capacity(if large { text.len() } else { CHUNK_BYTES }));
                let i = self.chunks.len() - 1;
                if !large {
                    self.open = Some(i);
                }
                i
            }
        };
        let chunk = self.chunks.get_mut(at)?;
        let start = u32::try_from(chunk.len()).ok()?;
        chunk.push_str(text);
        Some(Span { chunk: u32::try_from(at).ok()?, start, len })
    }

    /// The text of a span of this arena.
    pub(crate) fn get(&self, span: Span) -> &str {
        let (start, len) = (span.start as usize, span.len as usize);
        self.chunks.get(span.chunk as usize).and_then(|c| c.get(start..start + len)).unwrap_or_default()
    }

    /// Gives back what the open chunk did not use.
    pub(crate) fn shrink(&mut self) {
        if let Some(chunk) = self.open.take().and_then(|i| self.chunks.get_mut(i)) {
            chunk.shrink_to_fit();
        }
        self.chunks.shrink_to_fit();
    }

    /// Bytes of text held.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(String::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_across_chunks() {
        let mut arena = Arena::default();
        let large = "x".repeat(CHUNK_BYTES);
        let mut spans = Vec::new();
        for i in 0..50_000 {
            spans.push((arena.push(&format!("text number {i} ä")).unwrap(), i));
        }
        let big = arena.push(&large).unwrap();
        let after = arena.push("after").unwrap();
        arena.shrink();
        for (span, i) in spans {
            assert_eq!(arena.get(span), format!("text number {i} ä"));
        }
        assert_eq!(arena.get(big).len(), CHUNK_BYTES);
        assert_eq!(arena.get(after), "after");
    }

    #[test]
    fn part_stays_inside() {
        let mut arena = Arena::default();
        let span = arena.push("hello").unwrap();
        assert_eq!(arena.get(span.part(1, 3).unwrap()), "ell");
        assert_eq!(span.part(3, 3), None);
        assert_eq!(span.part(usize::MAX, 1), None);
    }
}
