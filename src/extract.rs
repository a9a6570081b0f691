//! Field extraction: `ct.*` from the record, `tf.*` from record and states.
//!
//! The SDK's own `extract_fields` makes a new context for each field and knows no field's number; ours goes by the
//! number, straight to the value. The entry guard answers "absent" for a panic, and so does each field here.

mod answer;
mod cache;
mod table;
mod tf;

use std::ffi::CStr;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use falco_plugin::anyhow::Error;
use falco_plugin::api::{ss_plugin_extract_field, ss_plugin_extract_value_offsets};
use falco_plugin::extract::{EventInput, ExtractFieldInfo, ExtractPlugin};
use falco_plugin::tables::LazyTableReader;
use tfdrift_cloudtrail::ct::{self, CtField, CtValue, Piece};

use crate::guard::{self, Entry};
use crate::payload::{RECORD_OFFSET, RecordBytes};
use crate::plugin::Tf;

use answer::{Value, absent, put, put_text};
pub use cache::Cache;
use table::Answer;

impl<const DROP_IN: bool> ExtractPlugin for Tf<DROP_IN> {
    type Event<'a> = RecordBytes<'a>;
    type ExtractContext = ();
    // see `get_fields` and `extract_fields`
    const EXTRACT_FIELDS: &'static [ExtractFieldInfo<Self>] = &[];

    fn get_fields() -> &'static CStr {
        table::json()
    }

    #[inline(always)]
    fn extract_fields<'a>(
        &'a mut self,
        event: &EventInput<'a, RecordBytes<'a>>,
        _: &LazyTableReader<'_>,
        fields: &mut [ss_plugin_extract_field],
        offsets: Option<&mut ss_plugin_extract_value_offsets>,
        storage: &'a Bump,
    ) -> Result<(), Error> {
        let Ok(RecordBytes(Some(bytes))) = event.event() else {
            // an event of another kind: no field has a value, and an error would cost more than the answer
            fields.iter_mut().for_each(absent);
            return Ok(());
        };
        self.cache.take(event.event_number(), bytes, &self.shared);
        match (fields, offsets) {
            // how libsinsp asks: the guard of the entry suffices
            ([field], None) => {
                absent(field);
                guard::inject(Entry::Field);
                if !self.piece(bytes, field, storage) {
                    self.worked_out(bytes, field, storage);
                }
            }
            (fields, offsets) => self.several(bytes, fields, offsets, storage),
        }
        Ok(())
    }
}

impl<const DROP_IN: bool> Tf<DROP_IN> {
    /// A panic in one of the fields leaves the others theirs.
    #[inline(never)]
    fn several(
        &mut self,
        bytes: &[u8],
        fields: &mut [ss_plugin_extract_field],
        offsets: Option<&mut ss_plugin_extract_value_offsets>,
        storage: &Bump,
    ) {
        let mut ranges = offsets.map(|o| (o, Ranges::new(fields.len(), storage)));
        for field in fields.iter_mut() {
            absent(field);
            let range = ranges.as_mut().map(|(_, ranges)| ranges.next());
            let done = guard::run(Entry::Field, || {
                self.worked_out(bytes, field, storage);
                if let Some(range) = range {
                    self.range(bytes, field, range);
                }
            });
            if done.is_err() {
                absent(field);
            }
        }
        if let Some((offsets, mut ranges)) = ranges {
            offsets.start = ranges.starts.as_mut_ptr();
            offsets.length = ranges.lengths.as_mut_ptr();
            // they stay where they are until the storage is used anew
            std::mem::forget(ranges);
        }
    }

    /// Gives a field of the record in hand its value if that needs no work; the others have to be worked out.
    #[inline(always)]
    fn piece(&mut self, bytes: &[u8], field: &mut ss_plugin_extract_field, storage: &Bump) -> bool {
        let (Answer::Ct(ct), 0) = (table::answer(field.field_id), field.arg_present) else { return false };
        let Some(record) = self.cache.record(bytes) else { return true };
        match ct::piece(&record, ct) {
            Piece::Absent => true,
            Piece::Text(text) => {
                put_text(field, text, &mut self.held, storage);
                true
            }
            Piece::Unknown => false,
        }
    }

    /// Gives any field of the record in hand its value.
    #[inline(never)]
    fn worked_out(&mut self, bytes: &[u8], field: &mut ss_plugin_extract_field, storage: &Bump) {
        let compat = self.cache.compat();
        let Some((record, judgement)) = self.cache.record_and_judgement(bytes) else { return };
        match table::answer(field.field_id) {
            Answer::Ct(ct) => {
                let mut digits = [0; 20];
                let arg = argument(ct, field, &mut digits);
                if let Some(value) = ct::value(&record, ct, arg, compat) {
                    put(field, &value.into(), storage);
                }
            }
            Answer::Tf(tf) if tf.needs_states() => {
                let judgement = judgement.get_or_insert_with(|| self.drift.judge(&record, &self.shared));
                let Some(judgement) = judgement else { return };
                let key = guard::argument(field).and_then(|k| k.to_str().ok());
                if let Some(value) = tf::of_judgement(tf, key, judgement) {
                    put(field, &value, storage);
                }
            }
            Answer::Tf(tf) => {
                if let Some(value) = tf::of_record(tf, &record) {
                    put(field, &value, storage);
                }
            }
            Answer::Nobody => {}
        }
    }

    /// Where the value of a field stands in the event.
    fn range(&self, bytes: &[u8], field: &ss_plugin_extract_field, (start, length): (&mut u32, &mut u32)) {
        if field.res_len == 0 {
            return;
        }
        let (Some(record), Answer::Ct(ct)) = (self.cache.record(bytes), table::answer(field.field_id)) else {
            return;
        };
        let mut digits = [0; 20];
        let arg = argument(ct, field, &mut digits);
        if let Some(found) = ct::range(&record, ct, arg) {
            *start = u32::try_from(RECORD_OFFSET + found.start).unwrap_or(0);
            *length = u32::try_from(found.len()).unwrap_or(0);
        }
    }
}

/// The argument as text: the key, or for an indexed field its index in digits.
fn argument<'a>(
    ct: CtField,
    field: &'a ss_plugin_extract_field,
    digits: &'a mut [u8; 20],
) -> Option<&'a str> {
    if ct != CtField::Ec2ImageIds {
        return guard::argument(field)?.to_str().ok();
    }
    if field.arg_present == 0 {
        return None;
    }
    let mut at = digits.len();
    let mut rest = field.arg_index;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    std::str::from_utf8(digits.get(at..)?).ok()
}

impl<'a> From<CtValue<'a>> for Value<'a> {
    fn from(value: CtValue<'a>) -> Self {
        match value {
            CtValue::Text(text) => Value::Text(text),
            CtValue::Number(number) => Value::Number(number),
            CtValue::List(list) => Value::List(list),
        }
    }
}

/// Where the values stand in the event: start and length of each field, both 0 where a value is made of several.
struct Ranges<'b> {
    starts: BumpVec<'b, u32>,
    lengths: BumpVec<'b, u32>,
}

impl<'b> Ranges<'b> {
    fn new(fields: usize, storage: &'b Bump) -> Self {
        Self {
            starts: BumpVec::with_capacity_in(fields, storage),
            lengths: BumpVec::with_capacity_in(fields, storage),
        }
    }

    /// The next field's start and length. There is room for as many fields as were asked for.
    fn next(&mut self) -> (&mut u32, &mut u32) {
        self.starts.push(0);
        self.lengths.push(0);
        let last = self.starts.len() - 1;
        (&mut self.starts[last], &mut self.lengths[last])
    }
}
