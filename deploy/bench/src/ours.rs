//! Our path: a frame is published, and its alarm arrives at every display, through broker and gateway.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::beside::{Beside, Display};
use crate::clock;
use crate::crossing::{Crossing, Crossings, onset_ns};
use crate::display::{Displays, Received};
use crate::frames::{pump_number, pumps};
use crate::gateway::{Gateway, Memory};
use crate::mqtt::Fleet;
use crate::pace::{Pacer, Schedule};
use crate::plan::{LEAD_NS, Plan};
use crate::series::Times;
use crate::turns::{Taken, Turns};
use crate::views::{Seen, Views};

/// How long the gateway may take to know every pump by its birth.
const BIRTHS_MAX: Duration = Duration::from_secs(10);

/// How long the last alarms may take.
const TAIL_MAX: Duration = Duration::from_secs(5);

/// What one round measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the intended publication to each display.
    pub(crate) times: Times,
    /// Parts of the same way, once for each change.
    pub(crate) parts: Parts,
    /// What arrived and what should have.
    pub(crate) counts: Counts,
    /// Changes that arrived, over all displays.
    pub(crate) delivered: usize,
    /// Memory of the gateway at the end; `None` where the system does not tell.
    pub(crate) memory: Option<Memory>,
    /// What the displays have seen besides.
    pub(crate) seen: Seen,
    /// The same of the display in a process of its own.
    pub(crate) beside: Option<Seen>,
    /// The times of each turn with and without a frozen display.
    pub(crate) turns: Vec<Times>,
}

/// Where the time goes, as the gateway tells it with each alarm.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// From the intended publication to the gateway, by the wall clock that both share.
    pub(crate) accepted: Times,
    /// In the gateway, from there to the decision.
    pub(crate) decided: Times,
    /// From the decision to each display: what is left of the whole way.
    pub(crate) delivered: Times,
}

/// Alarm changes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Changes that every display must get.
    pub(crate) expected_per_display: u64,
    /// The least that a display got of them.
    pub(crate) received_min: u64,
    /// The most.
    pub(crate) received_max: u64,
    /// Expected and not received, over all displays.
    pub(crate) lost: u64,
    /// Received and not expected, or twice, over all displays.
    pub(crate) invented: u64,
    /// Revisions that tell of missing data, over all displays; a machine that stands still makes them.
    pub(crate) data_revisions: u64,
    /// Frames that the gateway missed, by its own count.
    pub(crate) frames_missing: u64,
    /// Frames that the gateway took.
    pub(crate) frames_received: u64,
    /// Processor time of the gateway while the pumps published, in milliseconds.
    pub(crate) gateway_processor_ms: Option<u64>,
}

/// What there is besides pumps and displays that watch alarms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    /// What the displays watch beside alarms.
    pub(crate) views: Views,
    /// A display in a process of its own, which is not measured.
    pub(crate) beside: Option<Beside>,
    /// A frozen display that comes and goes.
    pub(crate) turns: Option<Turns>,
}

/// Measures one round with a gateway of its own.
pub(crate) async fn measure(
    program: &Path,
    broker: SocketAddr,
    plan: &Plan,
    round: u32,
    scene: &Scene,
) -> anyhow::Result<Measured> {
    let ward = Id::new(&format!("bench-{round}"))?;
    let gateway = Gateway::start(program, broker, ward.as_str(), plan.displays).await?;
    let measured = run(&gateway, broker, plan, &ward, scene).await;
    let measured = measured.with_context(|| format!("the gateway wrote:\n{}", gateway.log()))?;
    gateway.stop().await?;
    Ok(measured)
}

/// Pumps that publish.
#[derive(Debug)]
pub(crate) struct Feed {
    /// When which frame is published.
    pub(crate) schedule: Schedule,
    // Kept here too: when the pacing ends, the last frames are still on their way.
    fleet: Arc<Fleet>,
    pacer: Pacer,
    client: Client,
}

impl Feed {
    /// Connects the pumps, waits until the gateway knows them, and begins.
    pub(crate) async fn start(
        gateway: &Gateway,
        broker: SocketAddr,
        plan: &Plan,
        ward: &Id,
    ) -> anyhow::Result<Self> {
        let (addresses, pumps) = pumps(plan, ward, plan.crossings())?;
        let births = pumps.iter().map(|pump| Some(pump.birth()));
        let fleet = Fleet::connect(broker, addresses.into_iter().zip(births).collect()).await?;
        let fleet = Arc::new(fleet);
        let publisher = Arc::clone(&fleet);
        let mut client = PumpServiceClient::connect(gateway.url().to_owned()).await?;
        know_all(&mut client, plan.pumps).await?;
        let schedule =
            Schedule { start_ns: clock::now_ns() + LEAD_NS, sources: plan.pumps, rate: plan.rate };
        let pacer = Pacer::start(schedule, plan.frames_of_all(), move |event| {
            let pump = usize::try_from(event.source).ok().and_then(|place| pumps.get(place));
            if let Some(pump) = pump {
                publisher.publish(event.source, pump.frame(event));
            }
        })?;
        Ok(Self { schedule, fleet, pacer, client })
    }

    /// Waits for the last frame; returns what keeps the connections open.
    async fn finish(self) -> anyhow::Result<(Arc<Fleet>, Client)> {
        self.pacer.finish().await?;
        self.fleet.check()?;
        Ok((self.fleet, self.client))
    }
}

async fn run(
    gateway: &Gateway,
    broker: SocketAddr,
    plan: &Plan,
    ward: &Id,
    scene: &Scene,
) -> anyhow::Result<Measured> {
    // 1. Displays first, then pumps that the gateway knows by their births.
    let (url, count) = (gateway.url(), plan.displays);
    let displays = Displays::connect(url, ward.as_str(), count, &scene.views).await?;
    let beside = match scene.beside {
        Some(what) => Some(Display::start(what, url, ward.as_str(), plan.pumps).await?),
        None => None,
    };

    // 2. Frames, and with them alarms.
    let feed = Feed::start(gateway, broker, plan, ward).await?;
    let schedule = feed.schedule;
    let (url, pumps) = (url.to_owned(), plan.pumps);
    let turns = scene.turns.map(|turns| {
        tokio::spawn(turns.run(schedule.start_ns, url, ward.as_str().to_owned(), pumps))
    });
    let busy_before = gateway.processor_time();
    let (_connected, mut client) = feed.finish().await?;
    let busy = gateway.processor_time().zip(busy_before).map(|(after, before)| after - before);
    let memory = gateway.memory_bytes();

    // 3. What arrived.
    let crossings = plan.crossings();
    let expected = crossings.all();
    let changes = 2 * expected.len() * usize::try_from(plan.displays)?;
    displays.wait(changes, TAIL_MAX).await;
    let known = list(&mut client).await?;
    let (received, seen) = displays.finish().await?;
    if let Some(turns) = turns {
        drop(turns.await.context("the turns panicked")?.context("a frozen display")?);
    }
    let beside = match beside {
        Some(beside) => Some(beside.finish().await?),
        None => None,
    };
    let mut judge = Judge::new(schedule, crossings, plan.period_ns(), expected);
    judge.taken = Taken::new(scene.turns);
    for display in &received {
        judge.display(display);
    }
    let count = |pick: fn(&v1::PumpCounters) -> u64| -> u64 {
        known.iter().filter_map(|pump| pump.counters.as_ref()).map(pick).sum()
    };
    judge.counts.frames_missing = count(|counters| counters.frames_missing);
    judge.counts.frames_received = count(|counters| counters.frames_received);
    judge.counts.gateway_processor_ms = busy.and_then(|busy| u64::try_from(busy.as_millis()).ok());
    let delivered = received.iter().map(Vec::len).sum();
    let (times, parts, counts) = (judge.times, judge.parts, judge.counts);
    let turns = judge.taken.into_times();
    Ok(Measured { times, parts, counts, delivered, memory, seen, beside, turns })
}

type Client = PumpServiceClient<tonic::transport::Channel>;

async fn list(client: &mut Client) -> anyhow::Result<Vec<v1::Pump>> {
    let answer = client.list_pumps(v1::ListPumpsRequest::default()).await;
    Ok(answer.context("the gateway does not list its pumps")?.into_inner().pumps)
}

/// Waits until the gateway has every pump's birth.
async fn know_all(client: &mut Client, pumps: u32) -> anyhow::Result<()> {
    let end = Instant::now() + BIRTHS_MAX;
    loop {
        let known = list(client).await?.iter().filter(|pump| pump.boot_id != 0).count();
        if u32::try_from(known).is_ok_and(|known| known >= pumps) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the gateway knows {known} of {pumps} pumps");
        sleep(Duration::from_millis(10)).await;
    }
}

/// One of the two changes of a crossing.
type Change = (Crossing, bool);

/// Holds what displays got against what was published.
#[derive(Debug)]
struct Judge {
    schedule: Schedule,
    crossings: Crossings,
    period_ns: u64,
    expected: BTreeSet<Crossing>,
    times: Times,
    parts: Parts,
    counts: Counts,
    displays: u64,
    taken: Taken,
}

impl Judge {
    fn new(
        schedule: Schedule,
        crossings: Crossings,
        period_ns: u64,
        expected: BTreeSet<Crossing>,
    ) -> Self {
        let counts = Counts {
            expected_per_display: u64::try_from(2 * expected.len()).unwrap_or(u64::MAX),
            received_min: u64::MAX,
            received_max: 0,
            lost: 0,
            invented: 0,
            data_revisions: 0,
            frames_missing: 0,
            frames_received: 0,
            gateway_processor_ms: None,
        };
        Self {
            schedule,
            crossings,
            period_ns,
            expected,
            times: Times::default(),
            parts: Parts::default(),
            counts,
            displays: 0,
            taken: Taken::default(),
        }
    }

    /// Takes everything that one display got.
    fn display(&mut self, received: &[Received]) {
        let mut seen: BTreeSet<Change> = BTreeSet::new();
        for one in received {
            if one.alarm.present && one.alarm.revision > 1 {
                self.counts.data_revisions += 1;
                continue;
            }
            match self.change(&one.alarm) {
                Some(change) if seen.insert(change) => self.measure(change, one),
                Some(_) | None => self.counts.invented += 1,
            }
        }
        let got = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        self.counts.received_min = self.counts.received_min.min(got);
        self.counts.received_max = self.counts.received_max.max(got);
        self.counts.lost += self.counts.expected_per_display.saturating_sub(got);
        self.displays += 1;
    }

    /// The change that an alarm tells; `None` when no frame asked for it.
    fn change(&self, alarm: &v1::Alarm) -> Option<Change> {
        let pump = pump_number(&alarm.pump)?;
        // The onset is the first sample of a frame, which ends with its publication.
        let published_ns = onset_ns(&alarm.occurrence)?.checked_add(self.period_ns)?;
        let event = self.schedule.event_at(published_ns).filter(|event| event.source == pump)?;
        // A frame that was lost lets a later one raise: still the same crossing, and its latency says so.
        let crossing = self.crossings.of(pump, event.sequence)?;
        self.expected.contains(&crossing).then_some((crossing, alarm.present))
    }

    fn measure(&mut self, (crossing, raised): Change, one: &Received) {
        let sequence = if raised { crossing.raise } else { crossing.clear };
        let number = sequence * u64::from(self.schedule.sources) + u64::from(crossing.pump);
        let intended_ns = self.schedule.event(number).intended_ns;
        let took = one.at_ns.saturating_sub(intended_ns);
        self.times.record(took);
        self.taken.record(intended_ns.saturating_sub(self.schedule.start_ns), took);
        let Some(latency) = one.alarm.latency else { return };
        let (Some(accepted), Some(decided)) =
            (latency.published_to_received_ns, latency.received_to_decided_ns)
        else {
            return;
        };
        self.parts.delivered.record(took.saturating_sub(accepted).saturating_sub(decided));
        // Each display gets the same two: they count once.
        if self.displays == 0 {
            self.parts.accepted.record(accepted);
            self.parts.decided.record(decided);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossing::CONDITION;

    const SCHEDULE: Schedule = Schedule { start_ns: 1_000_000_000, sources: 2, rate: 50 };
    const CROSSINGS: Crossings = Crossings { pumps: 2, rate: 50, first: 50, frames: 100 };
    const PERIOD_NS: u64 = 20_000_000;

    fn judge() -> Judge {
        Judge::new(SCHEDULE, CROSSINGS, PERIOD_NS, CROSSINGS.all())
    }

    /// What a display gets when a frame raises or ends the alarm of the crossing that began with frame `raise`.
    fn received(pump: u32, raise: u64, raised: bool, at_ns: u64) -> Received {
        let onset = SCHEDULE.event(raise * 2 + u64::from(pump)).intended_ns - PERIOD_NS;
        let alarm = v1::Alarm {
            occurrence: format!("bench/pump-{:03}/{CONDITION}/{:016x}-{onset:x}", pump + 1, 7),
            pump: format!("pump-{:03}", pump + 1),
            revision: if raised { 1 } else { 2 },
            present: raised,
            latency: Some(v1::PathLatency {
                sampled_to_published_ns: None,
                published_to_received_ns: Some(100),
                received_to_decided_ns: Some(20),
            }),
            ..v1::Alarm::default()
        };
        Received { at_ns, alarm }
    }

    fn everything(delay_ns: u64) -> Vec<Received> {
        CROSSINGS
            .all()
            .into_iter()
            .flat_map(|crossing| {
                [(crossing.raise, true), (crossing.clear, false)].map(|(sequence, raised)| {
                    let event = SCHEDULE.event(sequence * 2 + u64::from(crossing.pump));
                    received(crossing.pump, crossing.raise, raised, event.intended_ns + delay_ns)
                })
            })
            .collect()
    }

    #[test]
    fn every_change_is_measured_from_its_own_frame() {
        let mut judge = judge();
        judge.display(&everything(500));
        judge.display(&everything(700));
        assert_eq!((judge.counts.lost, judge.counts.invented), (0, 0));
        assert_eq!(judge.counts.expected_per_display, 4);
        assert_eq!(judge.times.count(), 8);
        assert_eq!(judge.times.quantiles().max_ns, 700);
        assert_eq!(judge.parts.delivered.quantiles().p50_ns, 380);
        assert_eq!((judge.parts.accepted.count(), judge.parts.decided.count()), (4, 4));
    }

    #[test]
    fn a_lost_and_a_doubled_change_are_counted() {
        let mut judge = judge();
        let mut some = everything(500);
        some.pop();
        some.push(received(0, CROSSINGS.all().first().unwrap().raise, true, u64::MAX));
        judge.display(&some);
        assert_eq!((judge.counts.lost, judge.counts.invented), (1, 1));
        assert_eq!((judge.counts.received_min, judge.counts.received_max), (3, 3));
    }

    #[test]
    fn an_alarm_that_no_frame_asked_for_is_invented() {
        let raise = CROSSINGS.all().first().unwrap().raise;
        // One frame too early, and a pump that does not exist.
        for alarm in [received(0, raise - 1, true, 0).alarm, received(7, raise, true, 0).alarm] {
            assert_eq!(judge().change(&alarm), None, "{alarm:?}");
        }
    }

    #[test]
    fn a_revision_about_missing_data_is_neither_measured_nor_invented() {
        let mut some = everything(500);
        let lost = v1::Alarm { revision: 2, last_known: true, ..some[0].alarm.clone() };
        some.insert(1, Received { at_ns: 0, alarm: lost });
        let mut judge = judge();
        judge.display(&some);
        let counts = judge.counts;
        assert_eq!((counts.lost, counts.invented, counts.data_revisions), (0, 0, 1));
        assert_eq!(judge.times.count(), 4);
    }

    #[test]
    fn a_frame_that_was_lost_makes_its_alarm_late_not_lost() {
        let crossing = *CROSSINGS.all().first().unwrap();
        let mut judge = judge();
        let next = SCHEDULE.event((crossing.raise + 1) * 2 + u64::from(crossing.pump));
        judge.display(&[received(crossing.pump, crossing.raise + 1, true, next.intended_ns)]);
        assert_eq!(judge.counts.invented, 0);
        assert!(judge.times.quantiles().p50_ns.abs_diff(PERIOD_NS) < 100_000);
    }
}
