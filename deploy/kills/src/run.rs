//! The run: kill, restart, wait until everything is whole, again; then everything that was shown is judged.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use ecmo_display::LinkId;
use ecmo_testkit::{Mosquitto, eventually_sync};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::judge::{Acknowledged, Violation, calls_anew, judge};
use crate::settings::{PUMPS, is_judged};
use crate::story::{Call, Story};
use crate::watch::{Display, PERIOD, holds_unacknowledged};
use crate::world::{GATEWAYS, OBSERVER, Target, World};

/// Until everything is whole after a start or a restart, on a machine that is busy building too.
const WHOLE_MAX: Duration = Duration::from_secs(20);

/// After everything is whole, before the next kill.
const SETTLE: Duration = Duration::from_millis(300);

/// How long a gateway must have watched before the other one is killed: what began before its start it cannot know for as long as a
/// rule holds (2 s is the longest delay here). Both gone within one excursion are two faults, and that is told as missed.
const WATCHED: Duration = Duration::from_secs(3);

/// The promise for a display with one connection.
const SINGLE_MAX: Duration = Duration::from_secs(1);

/// Two displays hear of the same frame so much apart on a busy machine, however lively their gateways are.
const NOISE: Duration = Duration::from_millis(100);

/// The promise for the death of an agent, and what the look at it may cost.
const TOLD_MAX: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);

/// Until a gateway has what was done at the other while it was dead.
const SYNCED_MAX: Duration = Duration::from_secs(3);

/// A person acknowledges before one in so many kills.
const ACKNOWLEDGED_EACH: u32 = 3;

/// After the last kill, so that everything that began has been told.
const TAIL: Duration = Duration::from_secs(4);

/// The gaps of one kill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gaps {
    pub(crate) kind: &'static str,
    pub(crate) joined: Duration,
    pub(crate) single: Duration,
    pub(crate) observer: Duration,
    /// How late this process itself was woken, at worst: the machine's doing.
    pub(crate) late: Duration,
    /// From the restart until everything was whole.
    pub(crate) recovery: Duration,
}

/// What a run found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) kills: Vec<Gaps>,
    /// Alarms that the observer told and the displays were held against.
    pub(crate) told: usize,
    pub(crate) acknowledged: usize,
    pub(crate) lasted: Duration,
    pub(crate) violations: Vec<Violation>,
}

#[derive(Debug)]
struct Run {
    tasks: Runtime,
    random: fastrand::Rng,
    world: World,
    gateways: [SocketAddr; 2],
    joined: Display,
    single: Display,
    observer: Display,
    acknowledged: Vec<Acknowledged>,
    /// The same, each from when everything was whole again.
    settled: Vec<Acknowledged>,
    violations: Vec<Violation>,
    /// When each gateway was last started.
    watching: [Duration; 2],
}

/// Runs so many kills.
pub(crate) fn run(
    folder: &Path,
    brokers: Vec<Mosquitto>,
    seed: u64,
    count: u32,
) -> anyhow::Result<Found> {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::start(folder, brokers, &mut random)?;
    let tasks = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no threads for the displays")?;
    let start = Instant::now();
    let gateways = [world.served(0)?, world.served(1)?];
    let observed = [world.served(OBSERVER)?];
    let mut run = Run {
        joined: Display::joined(tasks.handle(), "joined", start, &gateways),
        single: Display::single(tasks.handle(), "single", start, &gateways),
        observer: Display::joined(tasks.handle(), "observer", start, &observed),
        tasks,
        random,
        world,
        gateways,
        acknowledged: Vec::new(),
        settled: Vec::new(),
        violations: Vec::new(),
        watching: [Duration::ZERO; 2],
    };
    run.wait_until_whole(Duration::ZERO).map_err(|why| anyhow::anyhow!("at the start: {why}"))?;
    let mut kills = Vec::new();
    for number in 1..=count {
        run.world.check()?;
        kills.push(run.kill(number)?);
    }
    std::thread::sleep(TAIL);
    run.world.check()?;
    let stories = folder.join("stories.txt");
    std::fs::write(&stories, run.stories()).context("cannot write what was shown")?;
    Ok(run.finish(kills))
}

impl Run {
    fn wait_until_whole(&self, since: Duration) -> Result<(), String> {
        let displays = [&self.observer, &self.joined, &self.single];
        let whole = || displays.iter().try_for_each(|display| display.is_whole(since));
        eventually_sync(WHOLE_MAX, "everything is whole", whole).map_err(|error| error.to_string())
    }

    fn kill(&mut self, number: u32) -> anyhow::Result<Gaps> {
        let target = Target::choose(&mut self.random);
        let dead_for = Duration::from_millis(self.random.u64(100..1_600));
        let acknowledges = number.is_multiple_of(ACKNOWLEDGED_EACH);
        let link = self.random.usize(..2);
        if acknowledges {
            self.acknowledge(link)?;
        }
        if let Target::Gateway(place) = target {
            let other = self.watching.iter().enumerate().find(|(number, _at)| *number != place);
            let since = other.map_or(Duration::ZERO, |(_number, at)| *at);
            std::thread::sleep((since + WATCHED).saturating_sub(self.joined.now()));
        }
        let from = self.joined.now();
        self.world.kill(target)?;
        std::thread::sleep(dead_for);
        self.world.restart(target)?;
        let restarted = self.joined.now();
        if let Target::Gateway(place) = target
            && let Some(watching) = self.watching.get_mut(place)
        {
            *watching = restarted;
        }
        let kill = format!("kill {number}, {target}, dead for {dead_for:?}");
        if let Err(why) = self.wait_until_whole(restarted) {
            self.violations.push(Violation::NotRecovered { kill: kill.clone(), why });
        }
        let recovery = self.joined.now().saturating_sub(restarted);
        std::thread::sleep(SETTLE);
        let to = self.joined.now();
        self.check_acknowledged(to)?;
        let except = match target {
            Target::Agent(place) => PUMPS.get(place).copied(),
            Target::Broker(_) | Target::Gateway(_) => None,
        };
        let gaps = Gaps {
            kind: target.kind(),
            joined: self.joined.gap(except, from, to),
            single: self.single.gap(except, from, to),
            observer: self.observer.gap(except, from, to),
            late: self.joined.latest(from, to),
            recovery,
        };
        self.check_gaps(&kill, target, &gaps);
        if let Some(pump) = except
            && dead_for > TOLD_MAX + LOOK
            && !self.joined.story().told_of_silence(pump, from, from + TOLD_MAX + LOOK)
        {
            self.violations.push(Violation::NotTold { kill: kill.clone() });
        }
        println!(
            "{:7.1} s  {kill}; ms without a view: joined {}, single {}, observer {}; whole {} ms after",
            from.as_secs_f64(),
            gaps.joined.as_millis(),
            gaps.single.as_millis(),
            gaps.observer.as_millis(),
            recovery.as_millis(),
        );
        Ok(gaps)
    }

    /// What the observer itself went without is the data's or the machine's doing, and no display's.
    fn check_gaps(&mut self, kill: &str, target: Target, gaps: &Gaps) {
        let usual = gaps.observer + PERIOD + NOISE + gaps.late;
        let single = match target {
            Target::Gateway(_) => usual.max(SINGLE_MAX + gaps.late),
            Target::Agent(_) | Target::Broker(_) => usual,
        };
        for (gap, allowed, name) in
            [(gaps.joined, usual, "joined"), (gaps.single, single, "single")]
        {
            if gap > allowed {
                let kill = format!("{kill}, {name} display");
                self.violations.push(Violation::Gap { kill, gap, allowed });
            }
        }
    }

    /// A person acknowledges something that signals, at one of the gateways.
    fn acknowledge(&mut self, place: usize) -> anyhow::Result<()> {
        let signalling = self.joined.story().signalling();
        let judged: Vec<_> =
            signalling.into_iter().filter(|((_, condition), _)| is_judged(condition)).collect();
        let Some((key, _state)) = self.random.choice(&judged) else { return Ok(()) };
        let gateway = self.gateways.get(place).copied().context("two gateways")?;
        let link = LinkId(u8::try_from(place)?);
        let done = self.tasks.block_on(self.joined.acknowledge(key, link, gateway))?;
        match done {
            Some((done, true)) => self.acknowledged.push(done),
            Some((done, false)) => {
                self.violations.push(Violation::NotDurable("a gateway", call_of(&done)))
            }
            None => {}
        }
        Ok(())
    }

    /// Both gateways know of everything that was acknowledged before this kill.
    fn check_acknowledged(&mut self, at: Duration) -> anyhow::Result<()> {
        let fresh = self.acknowledged.get(self.settled.len()..).unwrap_or_default().to_vec();
        for done in fresh {
            for (gateway, name) in self.gateways.into_iter().zip(GATEWAYS) {
                let end = Instant::now() + SYNCED_MAX;
                let holds = || self.tasks.block_on(holds_unacknowledged(gateway, &done));
                let mut still = holds()?;
                while still && Instant::now() < end {
                    std::thread::sleep(LOOK);
                    still = holds()?;
                }
                if still && !calls_anew(&self.observer.story().signalling(), &done) {
                    self.violations.push(Violation::CameBack(name, call_of(&done)));
                }
            }
            self.settled.push(Acknowledged { at: at + SYNCED_MAX, ..done });
        }
        Ok(())
    }

    /// What each display has shown of what is judged, in order.
    fn stories(&self) -> String {
        let displays = [&self.observer, &self.joined, &self.single];
        let of = |display: &Display| {
            let mut story = display.story();
            story.keep(|(_pump, condition)| is_judged(condition));
            story.lines(display.name())
        };
        let mut lines: Vec<_> = displays.into_iter().flat_map(of).collect();
        lines.sort();
        lines.into_iter().map(|(_at, line)| line + "\n").collect()
    }

    fn finish(self, kills: Vec<Gaps>) -> Found {
        let end = self.observer.now();
        let judged = |display: &Display| -> Story {
            let mut story = display.story();
            story.keep(|(_pump, condition)| is_judged(condition));
            story
        };
        let observer = judged(&self.observer);
        let told = observer.calls().len();
        let mut violations = self.violations;
        // With both gateways nothing of the death of one is seen; with one link it takes until the other answers.
        let (joined, single) = (judged(&self.joined), judged(&self.single));
        let none = Duration::ZERO;
        violations.extend(judge("joined", &joined, &observer, &self.acknowledged, none, end));
        violations.extend(judge("single", &single, &observer, &self.settled, SINGLE_MAX, end));
        for display in [&self.joined, &self.single, &self.observer] {
            if display.lost_changes() > 0 {
                let why = "more changes of rows than are kept".to_owned();
                let kill = "the whole run".to_owned();
                violations.push(Violation::NotRecovered { kill, why });
            }
        }
        Found { kills, told, acknowledged: self.acknowledged.len(), lasted: end, violations }
    }
}

fn call_of(done: &Acknowledged) -> Call {
    let Acknowledged { at, key, occurrence, call } = done.clone();
    Call { at, key, occurrence, call, until: None }
}
