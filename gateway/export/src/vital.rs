//! Samples as one `.vital` file, the form of VitalDB and its Vital Recorder: packets behind a header, all of it in gzip.
//!
//! ```text
//! header   "VITA" | version 3 | length 27 | minutes to UTC | instance | program | begin, end f64 | packed u8
//! packet   kind u8 | length u32 | bytes; kind 9: a device, 0: a track, 1: a record
//! record   length of its head u16 | time f64 | track u16 | wave: count u32, f32 each; number: f32; text: u32, string
//! ```
//!
//! A channel of 4 Hz and more is a wave, with NaN where there is no value; a slower one is numbers, with no record where there is
//! none. Why there is none stands in the text track `ID.validity`, at each change. Times without samples are events.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use ecmo_core::parameter::Parameter;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::ExportError;
use crate::stretch::{About, Cell, Stretch, unit};

/// Samples that are further apart than this are numbers, not a wave.
const WAVE_NS_MAX: u64 = 250_000_000;

/// Rates are told apart in steps of a tenth of a hertz, so that a clock that drifts stays in one track.
const RATE_STEP_NS: u64 = 10_000_000_000;

const DEVICE: u8 = 9;
const TRACK: u8 = 0;
const RECORD: u8 = 1;

const WAVE: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 5;

/// The agent's circuit as a device; what the file itself says has none.
const CIRCUIT: u32 = 1;
const NO_DEVICE: u32 = 0;

/// How a stretch is kept: as a wave of so many tenths of a hertz, or as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Numbers,
    Wave(u32),
}

/// The class of a stretch; `None`: a single sample, which fits any.
fn class_of(stretch: &Stretch) -> Option<Class> {
    match stretch.interval_ns {
        _single if stretch.cells.len() < 2 => None,
        0 => None,
        fast @ 1..=WAVE_NS_MAX => {
            let tenths = (RATE_STEP_NS + fast / 2) / fast;
            Some(Class::Wave(u32::try_from(tenths).unwrap_or(u32::MAX)))
        }
        _slow => Some(Class::Numbers),
    }
}

/// A first look over all samples: at which rate each parameter is mostly sampled.
#[derive(Debug, Clone, Default)]
pub struct Survey(BTreeMap<Arc<str>, BTreeMap<Class, u64>>);

impl Survey {
    /// Takes a stretch into account.
    pub fn add(&mut self, stretch: &Stretch) {
        let classes = self.0.entry(Arc::clone(&stretch.parameter)).or_default();
        if let Some(class) = class_of(stretch) {
            *classes.entry(class).or_default() += stretch.cells.len() as u64;
        }
    }

    /// What most samples of a parameter are; numbers, where all are single.
    fn usual(&self, parameter: &str) -> Class {
        let classes = self.0.get(parameter).into_iter().flatten();
        classes.max_by_key(|(_class, count)| **count).map_or(Class::Numbers, |(class, _)| *class)
    }
}

/// Writes one file.
pub struct Vital<W: Write> {
    out: GzEncoder<W>,
    survey: Survey,
    tracks: BTreeMap<(Arc<str>, Class), u16>,
    /// Tracks of validity, and what they say now.
    validity: BTreeMap<Arc<str>, (u16, &'static str)>,
    next_track: u16,
}

/// What a track is, beside its device.
struct TrackInfo<'a> {
    name: &'a str,
    kind: u8,
    unit: &'a str,
    range: (f32, f32),
    rate: f32,
    device: u32,
}

#[expect(clippy::cast_precision_loss, reason = "to a microsecond, as the format has it")]
fn seconds(at_ns: i64) -> f64 {
    at_ns as f64 / 1e9
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
    out.extend(text.as_bytes());
}

impl<W: Write> Vital<W> {
    /// Begins a file of what was surveyed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(out: W, survey: Survey, about: &About) -> Result<Self, ExportError> {
        let mut out = GzEncoder::new(out, Compression::default());
        let mut head = b"VITA".to_vec();
        head.extend(3_u32.to_le_bytes());
        head.extend(27_u16.to_le_bytes());
        head.extend([0; 10]);
        head.extend(seconds(about.from_ns).to_le_bytes());
        head.extend(seconds(about.to_ns).to_le_bytes());
        head.push(0);
        out.write_all(&head)?;
        let (tracks, validity) = (BTreeMap::new(), BTreeMap::new());
        let mut vital = Self { out, survey, tracks, validity, next_track: 1 };
        let mut device = CIRCUIT.to_le_bytes().to_vec();
        put_text(&mut device, "ECMO");
        put_text(&mut device, &about.subject);
        put_text(&mut device, "");
        vital.packet(DEVICE, &device)?;
        vital.events(about)?;
        Ok(vital)
    }

    /// Adds a stretch; stretches of one parameter come in the order of time.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, stretch: &Stretch) -> Result<(), ExportError> {
        let class = class_of(stretch).unwrap_or_else(|| self.survey.usual(&stretch.parameter));
        let track = self.track(&stretch.parameter, class)?;
        match class {
            Class::Wave(_) => {
                let mut wave =
                    u32::try_from(stretch.cells.len()).unwrap_or_default().to_le_bytes().to_vec();
                for cell in &stretch.cells {
                    wave.extend(cell.value.unwrap_or(f32::NAN).to_le_bytes());
                }
                self.record(track, stretch.start_ns, &wave)?;
            }
            Class::Numbers => {
                for (place, cell) in stretch.cells.iter().enumerate() {
                    let Some(value) = cell.value else { continue };
                    self.record(track, stretch.at_ns(place), &value.to_le_bytes())?;
                }
            }
        }
        for (place, cell) in stretch.cells.iter().enumerate() {
            self.say_validity(&stretch.parameter, cell, stretch.at_ns(place))?;
        }
        Ok(())
    }

    /// Ends the file; what it was written to.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<W, ExportError> {
        Ok(self.out.finish()?)
    }

    fn packet(&mut self, kind: u8, bytes: &[u8]) -> Result<(), ExportError> {
        self.out.write_all(&[kind])?;
        self.out.write_all(&u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes())?;
        self.out.write_all(bytes)?;
        Ok(())
    }

    fn record(&mut self, track: u16, at_ns: i64, values: &[u8]) -> Result<(), ExportError> {
        let mut record = 10_u16.to_le_bytes().to_vec();
        record.extend(seconds(at_ns).to_le_bytes());
        record.extend(track.to_le_bytes());
        record.extend(values);
        self.packet(RECORD, &record)
    }

    fn text(&mut self, track: u16, at_ns: i64, text: &str) -> Result<(), ExportError> {
        let mut value = 0_u32.to_le_bytes().to_vec();
        put_text(&mut value, text);
        self.record(track, at_ns, &value)
    }

    fn declare(&mut self, about: &TrackInfo<'_>) -> Result<u16, ExportError> {
        let id = self.next_track;
        self.next_track = self.next_track.saturating_add(1);
        let mut track = id.to_le_bytes().to_vec();
        // Samples are f32; a text has no form.
        track.extend([about.kind, u8::from(about.kind != TEXT)]);
        put_text(&mut track, about.name);
        put_text(&mut track, about.unit);
        track.extend(about.range.0.to_le_bytes());
        track.extend(about.range.1.to_le_bytes());
        track.extend(0xffff_ffff_u32.to_le_bytes());
        track.extend(about.rate.to_le_bytes());
        track.extend(1_f64.to_le_bytes());
        track.extend(0_f64.to_le_bytes());
        track.push(0);
        track.extend(about.device.to_le_bytes());
        self.packet(TRACK, &track)?;
        Ok(id)
    }

    /// The track of a parameter; the usual class has the parameter's name, others say what they are.
    fn track(&mut self, parameter: &Arc<str>, class: Class) -> Result<u16, ExportError> {
        if let Some(track) = self.tracks.get(&(Arc::clone(parameter), class)) {
            return Ok(*track);
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate in tenths of a hertz")]
        let (kind, rate) = match class {
            Class::Numbers => (NUMBER, 0.0),
            Class::Wave(tenths) => (WAVE, tenths as f32 / 10.0),
        };
        let name = match class {
            usual if usual == self.survey.usual(parameter) => parameter.to_string(),
            Class::Numbers => format!("{parameter}@numbers"),
            Class::Wave(_) => format!("{parameter}@{rate}Hz"),
        };
        let known = Parameter::from_id(parameter);
        let range =
            known.map_or((0.0, 0.0), |one| (one.info().possible_low, one.info().possible_high));
        let device = CIRCUIT;
        let about = TrackInfo { name: &name, kind, unit: unit(parameter), range, rate, device };
        let track = self.declare(&about)?;
        self.tracks.insert((Arc::clone(parameter), class), track);
        Ok(track)
    }

    /// Says why there is no value, or that there is one again, once each time it changes.
    fn say_validity(
        &mut self,
        parameter: &Arc<str>,
        cell: &Cell,
        at_ns: i64,
    ) -> Result<(), ExportError> {
        let known = self.validity.get(parameter).copied();
        if known.map_or("valid", |(_track, word)| word) == cell.validity {
            return Ok(());
        }
        let track = match known {
            Some((track, _word)) => track,
            None => self.text_track(&format!("{parameter}.validity"), CIRCUIT)?,
        };
        self.validity.insert(Arc::clone(parameter), (track, cell.validity));
        self.text(track, at_ns, cell.validity)
    }

    fn text_track(&mut self, name: &str, device: u32) -> Result<u16, ExportError> {
        let (kind, unit, range, rate) = (TEXT, "", (0.0, 0.0), 0.0);
        self.declare(&TrackInfo { name, kind, unit, range, rate, device })
    }

    fn events(&mut self, about: &About) -> Result<(), ExportError> {
        let voids = about.joined();
        if voids.is_empty() {
            return Ok(());
        }
        let track = self.text_track("EVENT", NO_DEVICE)?;
        for void in voids {
            self.text(track, void.from_ns, &format!("no samples: {}", void.reason))?;
            self.text(track, void.to_ns, "samples again")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(interval_ns: u64, count: usize) -> Stretch {
        Stretch {
            parameter: Arc::from("flow.blood"),
            boot: 7,
            first_index: 0,
            start_ns: 0,
            interval_ns,
            cells: vec![Cell { value: Some(1.0), validity: "valid" }; count],
            is_late: false,
        }
    }

    #[test]
    fn a_clock_that_drifts_stays_in_its_track_and_a_single_sample_is_what_most_are() {
        assert_eq!(class_of(&stretch(10_000_000, 5)), Some(Class::Wave(1_000)));
        assert_eq!(class_of(&stretch(10_002_000, 5)), Some(Class::Wave(1_000)));
        assert_eq!(class_of(&stretch(1_000_000_000, 5)), Some(Class::Numbers));
        assert_eq!(class_of(&stretch(0, 1)), None);
        let mut survey = Survey::default();
        assert_eq!(survey.usual("flow.blood"), Class::Numbers);
        survey.add(&stretch(1_000_000_000, 5));
        survey.add(&stretch(10_000_000, 6));
        assert_eq!(survey.usual("flow.blood"), Class::Wave(1_000));
    }
}
