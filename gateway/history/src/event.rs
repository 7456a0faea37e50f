//! What happened: alarms, actions, contexts. Each is a record of its own in one log, with its payload in the words of whoever
//! keeps it.

use std::io;

use ecmo_journal::{Digest, Reader, Record, View};

use crate::bytes::{Cursor, put_bytes, put_number, put_signed};

/// Version of the bytes.
const VERSION: u8 = 1;

/// Kind of the records.
pub(crate) const EVENT: u8 = 1;

/// Something that happened at a pump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When: wall time in nanoseconds since 1970.
    pub at_ns: i64,
    /// Where, as "ward/pump".
    pub pump: String,
    /// What kind of thing, in the keeper's numbers.
    pub kind: u8,
    /// The thing itself, in the keeper's bytes.
    pub payload: Vec<u8>,
}

impl Event {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.kind];
        put_signed(&mut out, self.at_ns);
        put_bytes(&mut out, self.pump.as_bytes());
        out.extend_from_slice(&self.payload);
        out
    }

    fn head<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, i64, &'a str)> {
        if cursor.byte()? != VERSION {
            return None;
        }
        Some((cursor.byte()?, cursor.signed()?, cursor.text()?))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (kind, at_ns, pump) = Self::head(&mut cursor)?;
        let payload = cursor.rest().to_vec();
        Some(Self { at_ns, pump: pump.to_owned(), kind, payload })
    }
}

/// From when to when a segment of events reaches, and at which pumps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EventIndex {
    /// First and last time; `None` without an event.
    span: Option<(i64, i64)>,
    /// Sorted.
    pumps: Vec<String>,
    pub(crate) foreign: u64,
}

impl Digest for EventIndex {
    fn add(&mut self, _at: u64, record: &Record<'_>) {
        let head = Event::head(&mut Cursor::new(record.payload)).filter(|_| record.kind == EVENT);
        let Some((_kind, at_ns, pump)) = head else {
            self.foreign += 1;
            return;
        };
        let (first, last) = self.span.unwrap_or((at_ns, at_ns));
        self.span = Some((first.min(at_ns), last.max(at_ns)));
        if let Err(place) = self.pumps.binary_search_by(|one| one.as_str().cmp(pump)) {
            self.pumps.insert(place, pump.to_owned());
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_number(&mut out, self.foreign);
        let (first, last) = self.span.unwrap_or((1, 0));
        put_signed(&mut out, first);
        put_signed(&mut out, last);
        put_number(&mut out, self.pumps.len() as u64);
        self.pumps.iter().for_each(|pump| put_bytes(&mut out, pump.as_bytes()));
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.byte()? != VERSION {
            return None;
        }
        let foreign = cursor.number()?;
        let (first, last) = (cursor.signed()?, cursor.signed()?);
        let pumps: Option<Vec<String>> =
            (0..cursor.count()?).map(|_| cursor.text().map(str::to_owned)).collect();
        let span = (first <= last).then_some((first, last));
        Some(Self { span, pumps: pumps?, foreign })
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this pump alone, as "ward/pump".
    pub pump: Option<String>,
    /// From this wall time on.
    pub from_ns: i64,
    /// Before this wall time.
    pub to_ns: i64,
    /// At most so many, the newest first.
    pub limit: usize,
    /// Go on behind the last one of the page before.
    pub after: Option<EventPlace>,
}

/// The place of an event in the log, by which a page follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// The segment.
    pub segment: u64,
    /// The place in it.
    pub at: u64,
}

/// Some events, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page goes on; `None`: there is none.
    pub next: Option<EventPlace>,
    /// Records that are damaged or of a later version: what was in them is not known.
    pub damaged: u64,
}

/// Reads a page.
pub(crate) fn page(
    reader: &Reader<EventIndex>,
    query: &EventQuery,
    mut is_wanted: impl FnMut(&Event) -> bool,
) -> io::Result<EventPage> {
    let segments = reader.segments_with(|index| {
        let in_time =
            index.span.is_some_and(|(first, last)| first < query.to_ns && last >= query.from_ns);
        let of_pump =
            query.pump.as_ref().is_none_or(|pump| index.pumps.binary_search(pump).is_ok());
        (in_time && of_pump).then_some(())
    });
    let mut page = EventPage::default();
    for segment in segments.iter().rev() {
        if query.after.is_some_and(|after| segment.segment > after.segment) {
            continue;
        }
        let before = query.after.filter(|after| after.segment == segment.segment);
        let (found, damaged) = match events_of(segment, query, before) {
            Ok(found) => found,
            // It went because it was the oldest.
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        page.damaged += damaged;
        for (at, event) in found.into_iter().rev() {
            if !is_wanted(&event) {
                continue;
            }
            if page.events.len() >= query.limit {
                return Ok(page);
            }
            page.events.push(event);
            page.next = Some(EventPlace { segment: segment.segment, at });
        }
    }
    page.next = None;
    Ok(page)
}

type Found = (Vec<(u64, Event)>, u64);

fn events_of(
    segment: &View<()>,
    query: &EventQuery,
    before: Option<EventPlace>,
) -> io::Result<Found> {
    let mut scan = segment.scan(0)?;
    let (mut found, mut damaged) = (Vec::new(), 0);
    while let Some((at, record)) = scan.next_record()? {
        if before.is_some_and(|before| at >= before.at) {
            break;
        }
        let Some(event) = Event::decode(record.payload) else {
            damaged += 1;
            continue;
        };
        let of_pump = query.pump.as_ref().is_none_or(|pump| *pump == event.pump);
        if of_pump && (query.from_ns..query.to_ns).contains(&event.at_ns) {
            found.push((at, event));
        }
    }
    Ok((found, damaged + scan.missing()))
}
