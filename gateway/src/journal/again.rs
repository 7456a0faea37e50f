//! Judges frames that came from a spool as if they had arrived in time, and says what would have been raised.
//!
//! A fresh pump of the core judges by the same profile and by the treatment that is in force now; contexts are left out,
//! because they soften rules and were declared for now. It begins up to 10 minutes before the gap, so that references exist, and
//! goes on a minute after it, so that delays run out. Only what began within the gap counts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::pump::Pump;
use ecmo_core::reconcile::{Finder, FoundOccurrence, RuleSet};
use ecmo_core::time::{ClockMap, Instant, SampleTime};
use ecmo_journal::{Ranges, Reader};
use ecmo_proto::topic::PumpAddress;

use super::compare::{self, AgentWord, Found, Ground, Judged};
use super::missed::MissedAlarm;
use super::plan::Source;
use super::record::{self, Contents, Entry};
use crate::decode::{self, Accepted, Birth, Decoder, FrameBytes};

/// Frames before a gap that are judged first: 10 minutes at the default period.
pub(super) const WARM_UP_FRAMES: u64 = 30_000;

/// Frames behind a gap that are judged too: a minute.
const RUN_OUT_FRAMES: u64 = 3_000;

/// Frames that are in memory at a time: a minute, some 1 MB.
const WINDOW_FRAMES: u64 = 3_000;

/// The synthetic reader's clock starts here, so that nothing lies before its zero.
const READER_START: Duration = Duration::from_secs(1);

/// A frame that is not there is given up after this time; everything that there is comes in order.
const REORDER_WINDOW: Duration = Duration::from_millis(1);

/// What is judged.
#[derive(Debug)]
pub(super) struct Job {
    /// The pump.
    pub pump: PumpAddress,
    /// Its log.
    pub reader: Reader<Contents>,
    /// The birth of the run, as a message.
    pub birth: Vec<u8>,
    /// The run.
    pub boot: u64,
    /// Frames that came from the spool.
    pub gap: Ranges,
    /// What people say of the treatment now.
    pub treatment: Treatment,
    /// What the agent says of its own rules; `None` before a heartbeat.
    pub word: Option<AgentWord>,
}

/// Takes note of what is raised.
struct Listener<'a> {
    gap: &'a [Range<SampleTime>],
    wall_minus_mono_ns: i128,
    found: Vec<MissedAlarm>,
    /// Every occurrence of rules, for the comparison with the agent.
    all: Vec<Found>,
}

impl Listener<'_> {
    fn wall(&self, time: u64) -> i64 {
        i64::try_from(i128::from(time) + self.wall_minus_mono_ns).unwrap_or(i64::MAX)
    }

    fn update(&mut self, occurrence: &Occurrence, ended: Option<SampleTime>) {
        if let Some(known) = self.all.iter_mut().rev().find(|one| is_of(one, occurrence)) {
            known.occurrence.end = ended.or(known.occurrence.end);
        }
        let end = ended.map(|time| self.wall(time.as_nanos()));
        let known = self.found.iter_mut().rev().find(|one| one.id == occurrence.id);
        let Some(known) = known else { return };
        known.worst = occurrence.worst;
        known.priority = known.priority.max(occurrence.priority);
        if end.is_some() {
            known.end_wall_ns = end;
        }
    }
}

fn is_of(found: &Found, occurrence: &Occurrence) -> bool {
    let id = occurrence.id;
    let known = found.occurrence;
    (known.condition, Some(known.boot), known.onset.as_nanos()) == (id.condition, id.boot, id.onset)
}

impl Output for Listener<'_> {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        let occurrence = change.occurrence;
        let onset = SampleTime::from_nanos(occurrence.id.onset);
        match change.transition {
            // What no rule raised is about arrival, and everything arrives late here.
            Transition::Raised if occurrence.rule > 0 => {
                if let Some(boot) = occurrence.id.boot {
                    let (condition, priority) = (occurrence.id.condition, occurrence.priority);
                    let found = FoundOccurrence { condition, boot, onset, end: None, priority };
                    let raised = change.cause.map_or(onset, |cause| cause.sampled);
                    self.all.push(Found { occurrence: found, raised });
                }
                if self.gap.iter().any(|span| span.start < onset && onset <= span.end) {
                    self.found.push(MissedAlarm {
                        id: occurrence.id,
                        priority: occurrence.priority,
                        onset_wall_ns: self.wall(occurrence.id.onset),
                        end_wall_ns: None,
                        worst: occurrence.worst,
                        limit: occurrence.limit.map(|(_side, limit)| limit),
                        parameter: occurrence.parameter,
                        found_by_gateway: true,
                        found_by_agent: false,
                        sounded: false,
                    });
                }
            }
            Transition::Ended | Transition::Latched => {
                self.update(occurrence, change.cause.map(|cause| cause.sampled));
            }
            Transition::Returned => {
                self.update(occurrence, None);
                if let Some(known) = self.found.iter_mut().find(|one| one.id == occurrence.id) {
                    known.end_wall_ns = None;
                }
                if let Some(known) = self.all.iter_mut().rev().find(|one| is_of(one, occurrence)) {
                    known.occurrence.end = None;
                }
            }
            Transition::Raised
            | Transition::Acknowledged
            | Transition::DataLost
            | Transition::DataBack
            | Transition::Worsened
            | Transition::RuleChanged
            | Transition::AudioChanged
            | Transition::Reminded => {}
        }
    }
}

/// What is judged at a time: gaps whose warm-ups overlap are one run.
#[must_use]
pub(super) fn runs(gap: &Ranges) -> Vec<Ranges> {
    let mut runs: Vec<Ranges> = Vec::new();
    for range in gap.iter() {
        match runs
            .last_mut()
            .filter(|run| run.hull().is_some_and(|hull| range.start - hull.end <= WARM_UP_FRAMES))
        {
            Some(run) => {
                run.insert(range);
            }
            None => runs.push(std::iter::once(range).collect()),
        }
    }
    runs
}

/// Judges; `rest` is called between windows, so that this gives way to what is more urgent. Blocks on the disk.
#[must_use]
pub(super) fn judge(
    job: &Job,
    profile: &Arc<Profile>,
    mut rest: impl FnMut(),
) -> (Vec<MissedAlarm>, Vec<Judged>) {
    let Ok(birth) = decode::birth(&job.birth, job.pump.pump.as_str()) else {
        return (Vec::new(), Vec::new());
    };
    let (mut missed, mut judged) = (Vec::new(), Vec::new());
    for run in runs(&job.gap) {
        let (found, by) = judge_run(job, &birth, &run, profile, &mut rest);
        missed.extend(found);
        judged.push(by);
    }
    (missed, judged)
}

/// What one side alone found, of what the agent says and was judged.
#[must_use]
pub(super) fn compare(
    job: &Job,
    profile: &Profile,
    judged: &[Judged],
) -> Vec<(FoundOccurrence, Finder)> {
    let Some(word) = &job.word else { return Vec::new() };
    let rules = profile.resolve(&job.treatment);
    let ground = Ground {
        boot: job.boot,
        rules: RuleSet { profile_hash: profile.hash, treatment_version: job.treatment.version },
        has_contexts: !job.treatment.contexts.is_empty(),
        composites: rules.composites().iter().map(|rule| rule.key.condition).collect(),
    };
    judged.iter().flat_map(|judged| compare::differences(judged, &ground, word)).collect()
}

/// A kept frame as the decoder takes it.
fn as_it_came<'a>(pump: &'a PumpAddress, source: Source, sealed: &'a [u8]) -> FrameBytes<'a> {
    FrameBytes {
        payload: sealed,
        pump: pump.pump.as_str(),
        retained: false,
        accepted: match source {
            Source::Live => Accepted::Live,
            Source::Spool => Accepted::Historical,
        },
        received: Instant::default(),
    }
}

fn judge_run(
    job: &Job,
    birth: &Birth,
    gap: &Ranges,
    profile: &Arc<Profile>,
    rest: &mut impl FnMut(),
) -> (Vec<MissedAlarm>, Judged) {
    let Some(hull) = gap.hull() else { return (Vec::new(), Judged::default()) };
    let from = hull.start.saturating_sub(WARM_UP_FRAMES);
    let to = hull.end.saturating_add(RUN_OUT_FRAMES);
    let mut pump = Pump::new(Arc::clone(profile), REORDER_WINDOW, Instant::default());
    let wall = decode::birth_wall_minus_mono_ns(&job.birth).unwrap_or(0);
    let mut listener =
        Listener { gap: &[], wall_minus_mono_ns: wall, found: Vec::new(), all: Vec::new() };
    let mut read_frames = Ranges::default();
    let mut spans: Vec<Range<SampleTime>> = Vec::new();
    let mut decoder = Decoder::default();
    let mut begun = false;
    let mut before = SampleTime::default();
    let mut at = from;
    while at < to {
        let window = at..to.min(at.saturating_add(WINDOW_FRAMES));
        for (sequence, (source, sealed)) in read(&job.reader, job.boot, window.clone()) {
            if source == Source::Live
                && let Some(wall) = decode::wall_minus_mono_ns(&sealed)
            {
                listener.wall_minus_mono_ns = wall;
            }
            let bytes = as_it_came(&job.pump, source, &sealed);
            read_frames.insert(sequence..sequence.saturating_add(1));
            let Ok(frame) = decoder.frame(bytes, Some(birth), &mut |_reason, _samples| {}) else {
                continue;
            };
            let published = frame.stamp.published;
            let now = Instant::from_nanos(published.as_nanos()).plus(READER_START);
            let mut frame = frame.clone();
            frame.stamp.received = now;
            if !std::mem::replace(&mut begun, true) {
                begin(&mut pump, birth, &job.treatment, now, &mut listener);
                before = published;
            }
            if gap.contains(sequence) {
                match spans.last_mut().filter(|span| span.end == before) {
                    Some(span) => span.end = published,
                    None => spans.push(before..published),
                }
            }
            before = published;
            let mut hearing = Listener {
                gap: &spans,
                wall_minus_mono_ns: listener.wall_minus_mono_ns,
                found: std::mem::take(&mut listener.found),
                all: std::mem::take(&mut listener.all),
            };
            // A frame that is refused here was counted when it came.
            let _refused = pump.on_frame(&frame, now, &mut hearing);
            (listener.found, listener.all) = (hearing.found, hearing.all);
        }
        at = window.end;
        rest();
    }
    for occurrence in pump.alarms() {
        listener.update(occurrence, None);
    }
    let judged = Judged {
        found: listener.all,
        spans,
        is_whole: read_frames.count_within(hull.clone()) == hull.end - hull.start,
        is_warm: read_frames.count_within(from..hull.start) >= WARM_UP_FRAMES,
    };
    (listener.found, judged)
}

fn begin(
    pump: &mut Pump,
    birth: &Birth,
    treatment: &Treatment,
    now: Instant,
    out: &mut Listener<'_>,
) {
    let treatment = Treatment { contexts: Vec::new(), ..treatment.clone() };
    pump.restore_treatment(treatment, now, out);
    // The pump is new, so that no run can have superseded this one.
    let _first_run =
        pump.on_birth(birth.boot, &birth.channels, birth.case_kind(), false, now, out).is_ok();
}

/// Frames of a run by their number, from segments that hold some of them.
fn read(
    reader: &Reader<Contents>,
    boot: u64,
    frames: Range<u64>,
) -> BTreeMap<u64, (Source, Bytes)> {
    let mut found = BTreeMap::new();
    for segment in reader.segments() {
        let held = segment.digest.frames.get(&boot);
        let mut left = held.map_or(0, |held| held.count_within(frames.clone()));
        // The oldest segment may have gone meanwhile.
        let Ok(mut scan) = segment.scan(0) else { continue };
        while left > 0 {
            let Ok(Some((_at, record))) = scan.next_record() else { break };
            if let Entry::Frame { boot: of, sequence, source, sealed } = record::read(&record)
                && of == boot
                && frames.contains(&sequence)
            {
                left -= 1;
                found.insert(sequence, (source, Bytes::copy_from_slice(sealed)));
            }
        }
    }
    found
}
